"""Where notices go, and how a person wants to be told."""

from django import forms

from owners.kinds import Topic
from owners.models import Channel, Habits, Preference

LONGEST_URL = 2000


class HookForm(forms.Form):
    """An address is typed once and never shown again."""

    kind = forms.ChoiceField(choices=Channel.Kind.choices)
    url = forms.CharField(
        max_length=LONGEST_URL, error_messages={"required": "Paste the address that the chat gave you."}
    )


# In a word each: what they mean stands beside the choice, where a phone has room for it.
READERS = ((Channel.Audience.EVERYONE.value, "Everyone"), (Channel.Audience.LEADERSHIP.value, "Leadership"))


class ChannelForm(forms.Form):
    """An empty address keeps the one that is stored."""

    name = forms.CharField(max_length=100, error_messages={"required": "Give the channel a name."})
    kind = forms.ChoiceField(choices=Channel.Kind.choices, initial=Channel.Kind.SLACK)
    url = forms.CharField(max_length=LONGEST_URL, required=False)
    audience = forms.ChoiceField(choices=READERS, initial=Channel.Audience.EVERYONE)
    digest = forms.ChoiceField(choices=Channel.Digest.choices, required=False, initial=Channel.Digest.WEEKLY)
    news = forms.BooleanField(required=False)


class PreferencesForm(forms.Form):
    """A way for each topic that concerns the person, the quiet hours and the rhythm of the digest."""

    quiet_from = forms.TimeField(error_messages={"invalid": "Write the time like 20:00."})
    quiet_until = forms.TimeField(error_messages={"invalid": "Write the time like 07:00."})
    on_free_days = forms.BooleanField(required=False)
    rhythm = forms.ChoiceField(choices=Habits.Digest.choices, required=False, initial=Habits.Digest.WEEKLY)

    def __init__(self, *args: object, topics: list[Topic], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.topics = topics
        for topic in topics:
            self.fields[topic.value] = forms.ChoiceField(choices=Preference.Way.choices)

    def ways(self) -> dict[str, str]:
        """The chosen way by topic."""
        return {topic.value: self.cleaned_data[topic.value] for topic in self.topics}
