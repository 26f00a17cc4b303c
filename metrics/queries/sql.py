"""How a metric is computed, as text: the SQL of its warehouse, or the formula over other metrics."""

from calc.calendar import Calendar, Grain
from metrics.definitions.build import atoms_of, operands_of, source_def, source_keys_of
from metrics.models import Metric, Source
from warehouse.definitions import Request, WarehouseError
from warehouse.planner import plan


def statements(metric: Metric, cal: Calendar) -> tuple[tuple[str, str], ...]:
    """(title, text) of how the figures come to be; () for what is entered by hand. One SQL statement.

    The SQL is that of the newest whole month, written in the warehouse's own dialect; nothing is asked of it.
    """
    operands = operands_of(metric)
    if operands:
        lines = [f"{metric.key} = {operands.formula}"]
        for operand in operands.inputs:
            when = f", {operand.offset.count} {operand.offset.unit} earlier" if operand.offset else ""
            to = f", {operand.to.value.replace('_', ' ')}" if operand.to else ""
            lines.append(f"  {operand.name}: {operand.metric}{when}{to}")
        return (("Formula", "\n".join(lines)),)
    atoms = atoms_of(metric)
    keys = source_keys_of(metric)
    source = Source.objects.filter(key__in=keys[:1]).select_related("warehouse").first()
    if not atoms or source is None or source.watermark is None:
        return ()
    month = cal.previous(cal.period(Grain.MONTH, source.watermark))
    request = Request(
        source=source_def(source),
        atoms=atoms,
        calendar=cal,
        start=month.start,
        end=month.end,
        grains=(Grain.MONTH,),
        first_day=source.first_day,
        watermark=source.watermark,
    )
    title = f"SQL for {month.start:%b %Y}, {source.warehouse.key}"
    try:
        return ((title, plan(request, source.warehouse.engine).sql_for(metric.key)),)
    except WarehouseError as error:
        return ((title, str(error)),)  # a metric that cannot be computed still has its page
