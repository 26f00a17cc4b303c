-- Statements end with ";" at the end of a line; {names} are the story's constants, put in by generate.py.

-- A number in [0, 1) from what it is about. The outer hash is needed: inside one hash, purposes differ by a mere xor.
create temp macro u(a, b, purpose) as
    (hash(hash(a, b, purpose, {seed})) >> 11)::double / 9007199254740992.0;

create table customers as
select
    id::int as customer_id,
    day as joined_on,
    coalesce(
        (select min_by(city, upto) from cities
         where upto > u(id, 0, 'city') * (case when day < {opened_from}
            then 1 - (select share from cities where city = {opened_city}) else 1 end)),
        'London'
    ) as city,
    case when u(id, 0, 'platform') < {ios} then 'ios'
         when u(id, 0, 'platform') < {ios_android} then 'android' else 'web' end as platform
from (select n, day, unnest(range(first_customer + 1, last_customer + 1)) as id from days)
order by id;

-- How long a customer stays and how often they order: two in five only try it, the others stay for months or years.
create temp table habits as
select
    c.customer_id, c.city, c.platform, d.n as joined,
    d.n + 1 + case when u(customer_id, 0, 'kind') < 0.40
        then floor(-18 * ln(1 - u(customer_id, 0, 'stay')))
        else floor(-330 * ln(1 - u(customer_id, 0, 'stay'))) end as leaves,
    0.0328 * exp(0.5 * sqrt(-2 * ln(1 - u(customer_id, 0, 'rate a'))) * cos(6.283185307 * u(customer_id, 0, 'rate b')))
        as rate,
    d.day >= {welcome_from} as welcomed
from customers c join days d on d.day = c.joined_on;

-- Every day of every customer's stay, with what happens on it.
create temp table visits as
select
    h.customer_id, h.city, h.platform, d.n, d.day, d.utc_offset, d.demand, d.basket, d.years,
    d.n = h.joined or u(h.customer_id, d.n, 'order') < h.rate * d.demand
        * (case when h.welcomed and d.n - h.joined < 45 then 1 + {welcome_effect} else 1 end)
        * (0.96 + 0.08 * u(0, d.n, 'weather')) as orders,
    u(h.customer_id, d.n, 'visit') < least(0.9, 0.072 + 3.6 * h.rate) * (0.7 + 0.3 * d.demand) as visits
from habits h join days d on d.n >= h.joined and d.n < h.leaves
where orders or visits;

create temp table placed as
select
    v.*,
    u(customer_id, n, 'hour') as hour,
    u(customer_id, n, 'cancelled') < {cancelled_share} as cancelled,
    u(customer_id, n, 'punctual') as punctual,
    c.on_time + {punctuality_growth} * years + 0.02 * (u(0, n, 'traffic') - 0.5) - (case when isodow(day) >= 5 then 0.008 else 0 end) as on_time,
    c.basket as city_basket,
    case when u(customer_id, n, 'late row') < {late_share}
        then 1 + (u(customer_id, n, 'how late') < 0.4)::int else 0 end as late_days
from visits v join cities c using (city)
where orders;

-- `on_time_calm`, `refunded_calm`: what would be without the story, from which the plans are made.
create temp table all_orders as
with timed as (
    select
        *,
        (case when hour < 0.3 then 11.75 + 2.5 * hour / 0.3 else 17.0 + 4.75 * (hour - 0.3) / 0.7 end) * 3600
            as second_of_day,
        punctual < on_time as on_time_calm,
        punctual < on_time + (case when city = {shortage_city} and day >= {shortage_from}
            then {shortage_effect} else 0 end) as is_on_time,
        round(21.0 * city_basket * basket * (case when hour < 0.3 then 0.84 else 1.07 end)
            * exp(0.32 * sqrt(-2 * ln(1 - u(customer_id, n, 'basket a')))
                * cos(6.283185307 * u(customer_id, n, 'basket b'))), 2)::decimal(10, 2) as amount
    from placed
),
refunds as (
    select
        *,
        u(customer_id, n, 'refund') as luck,
        (case when is_on_time then {refund_share} else {refund_share_late} end)
            * (case when day >= {spike_from} and day < {spike_to} then {spike_factor} else 1 end) as chance,
        case when on_time_calm then {refund_share} else {refund_share_late} end as chance_calm,
        round(amount * (0.25 + 0.75 * u(customer_id, n, 'refunded')), 2)::decimal(10, 2) as damage
    from timed
)
select
    (n + 1) * 100000 + row_number() over (partition by n order by customer_id) as order_id,
    customer_id, city,
    case when u(customer_id, n, 'channel') < {app} then 'app'
         when u(customer_id, n, 'channel') < {app_web} then 'web' else 'phone' end as channel,
    row_number() over (partition by customer_id order by n) as order_number,
    not cancelled and row_number() over (partition by customer_id, cancelled order by n) = 1 as first_delivered,
    n, day,
    day + to_seconds(floor(second_of_day)::int - utc_offset) as ordered_at,
    ordered_at + to_minutes(30 + (15 * u(customer_id, n, 'promise'))::int) as promised_at,
    case when not cancelled then promised_at + to_seconds(
        case when is_on_time then -floor(780 * u(customer_id, n, 'early'))
             else 60 + floor(-900 * ln(1 - u(customer_id, n, 'delay'))) end::int) end as delivered_at,
    case when cancelled then 'cancelled' else 'delivered' end as status,
    amount,
    case when not cancelled and luck < chance then damage else 0 end::decimal(10, 2) as refund,
    case when not cancelled and luck < chance_calm then damage else 0 end::decimal(10, 2) as refunded_calm,
    not cancelled and on_time_calm as on_time_calm,
    (day + 1 + late_days::int) + to_seconds(5 * 3600 + 600) as loaded_at,
    -- A complaint is settled on the day itself or on one of the next two.
    (day + 1 + floor(3 * u(customer_id, n, 'settled'))::int) + to_seconds(5 * 3600 + 600) as settled_at,
    city = {restated_city} and day >= {restated_from} and day < {restated_to} as was_missing
from refunds;

-- What the loads have brought by the morning after the last loaded day.
create temp table arrived as
select
    *,
    settled_at <= {loaded} + 1 + to_seconds(6 * 3600) as settled,
    was_missing and refund > 0 and not {restated} as is_missing
from all_orders
where day <= {loaded} and loaded_at <= {loaded} + 1 + to_seconds(6 * 3600);

create table orders as
select
    order_id, customer_id, city, channel, order_number, ordered_at, promised_at, delivered_at, status, amount,
    case when settled and not is_missing then refund else 0 end::decimal(10, 2) as refunded,
    case when was_missing and refund > 0 and {restated} then {corrected_at}
         when settled and refund > 0 and not is_missing then greatest(loaded_at, settled_at)
         else loaded_at end as updated_at
from arrived
order by ordered_at, order_id;

create table corrections as
select order_id, refund as refunded, {corrected_at} as updated_at
from arrived where is_missing order by order_id;

create table app_events as
with sessions as (
    select
        customer_id, city, platform, n, day, utc_offset, orders,
        1 + floor(u(customer_id, n, 'length') * 3.6)::int + 2 * orders::int as events,
        (7.5 + 14.5 * sqrt(u(customer_id, n, 'opened'))) * 3600 as second_of_day
    from visits
    where platform <> 'web' and day <= {loaded}
)
select
    n::bigint * 10000000 + customer_id::bigint * 10 + i as event_id,
    customer_id, city, platform,
    case when i = 0 then 'open' when orders and i = events - 1 then 'order'
         else ['search', 'menu', 'basket', 'offers'][1 + floor(4 * u(customer_id * 10 + i, n, 'event'))::int] end
        as event,
    day + to_seconds(floor(second_of_day)::int + 40 * i - utc_offset) as occurred_at
from (select *, unnest(range(events))::int as i from sessions)
order by occurred_at, event_id;

create table loads as
select day + 1 + to_seconds(5 * 3600 + 600) as loaded_at, day as through
from days where day <= {loaded} order by day;

-- The months and quarters as they would be without the story; plans and targets are made from them.
create table calm as
select
    date_trunc(grain, day)::date as period_start,
    grain,
    count(*) filter (where on_time_calm) as on_time_orders,
    count(*) filter (where status = 'delivered') as delivered,
    count(*) as orders,
    count(*) filter (where first_delivered) as new_customers,
    count(distinct customer_id) filter (where status = 'delivered') as active_customers,
    sum(amount) filter (where status = 'delivered')::double as revenue,
    sum(refunded_calm)::double as refunded
from all_orders, (values ('month'), ('quarter')) as g(grain)
group by all
order by 2, 1;

-- Second orders within 45 days of the first, by the period in which the 45 days end.
create table calm_second as
select
    date_trunc(grain, f.day + 45)::date as period_start,
    grain,
    count(*) as first_orders,
    count(s.customer_id) as second_orders
from (select * from all_orders where order_number = 1) f
cross join (values ('month'), ('quarter')) as g(grain)
left join all_orders s on s.customer_id = f.customer_id and s.order_number = 2
    and s.ordered_at < f.ordered_at + to_days(45)
group by all
order by 2, 1;

create table calm_app as
select
    date_trunc(grain, day)::date as period_start, grain, count(distinct customer_id) as app_users
from visits, (values ('month'), ('quarter')) as g(grain)
where platform <> 'web'
group by all
order by 2, 1;
