"""Headings that say what a column holds."""

import re
import unicodedata

_ROLES = {
    "date": "date day month week quarter period period_start start period_begin when time as_of datum tag"
    " monat woche quartal zeitraum mois jour semaine trimestre periode fecha mes dia semana periodo data",
    "year": "year jahr annee ano anno",
    "metric": "metric kpi indicator measure name metric_name metric_key key kennzahl indikator indicateur"
    " mesure indicador metrica nom nombre",
    "value": "value figure amount actual actuals result number total wert ist betrag valeur montant reel"
    " valor importe real",
    "numerator": "numerator above part hits zahler numerateur numerador",
    "denominator": "denominator below base of nenner denominateur denominador",
    "member": "country channel region segment market product city store team plan category land kanal produkt"
    " pays canal produit pais producto member",
    "note": "note notes comment comments remark bemerkung kommentar commentaire comentario nota",
    "ignore": "unit units owner target status source trend goal period_end end einheit ziel id",
}
_BY_WORD = {word: role for role, words in _ROLES.items() for word in words.split()}


def plain(text: str) -> str:
    """Lower case, without accents and punctuation: `Période ` is `periode`."""
    folded = unicodedata.normalize("NFKD", text.strip().lower())
    folded = "".join(c for c in folded if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "_", folded).strip("_")


def role_of(heading: str) -> str:
    """The role that a heading names; "" for any other."""
    return _BY_WORD.get(plain(heading), "")
