"""Names of months in the languages that spreadsheets come in."""

import unicodedata

# Per month, the words of English, German, French, Spanish, Italian, Portuguese and Dutch, without accents.
_WORDS = (
    "january jan januar janner janvier janv enero ene gennaio gen janeiro januari",
    "february feb februar febr fevrier fevr fev febrero febbraio fevereiro februari",
    "march mar mars marz maerz mrz marzo marco maart mrt",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juillet juil julio luglio lug julho",
    "august aug aout agosto ago augustus",
    "september sep sept septembre septiembre setiembre settembre set setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec dezember dez decembre diciembre dic dicembre dezembro",
)
_MONTHS = {word: number for number, words in enumerate(_WORDS, 1) for word in words.split()}


def month_of(word: str) -> int | None:
    """The number of the month that a word names, in any of the languages; None for another word."""
    plain = unicodedata.normalize("NFKD", word.lower().rstrip("."))
    return _MONTHS.get("".join(c for c in plain if not unicodedata.combining(c)))
