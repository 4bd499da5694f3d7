"""A certificate in words, for whoever reads it: what is proved, how, and what is not."""

from canut.quality.certificates.bounds import Certificate
from canut.quality.figures import Locale, as_count, as_share

_WORDS: dict[Locale, dict[str, str]] = {
    "en": {
        "about": "{process}, step {step}, batch {batch}, for {client}: {decisions} decisions.",
        "bound": "At most {bound} of them are wrong ({most} decisions), with {confidence}"
        " confidence, whenever this is read.",
        "proved": "This keeps the promise of at most {promise}.",
        "unproved": "This does not prove the promise of at most {promise} yet.",
        "audits": "{audits} draws were answered again, blind; wrong or disputed: {wrong}. The"
        " estimate is {rate}.",
        "none": "No draw has been answered yet: nothing is proved.",
        "uniform": "Every decision had the same chance to be drawn, each once at most.",
        "risk": "{share} of the draws were uniform, the rest went where errors were likelier, and"
        " count the less for it.",
        "same": "Answers that agree to {agree_min} are the same answer.",
        "fields": "A record is wrong where one of its fields is.",
        "panel": "Wrong means: the panel ({people} people) answers otherwise. It had"
        " {gold_wrong} of {gold} gold items wrong: its own error is at most {panel}.",
        "panel_new": "Wrong means: the panel ({people} people) answers otherwise. Its own error"
        " has not been measured.",
        "panel_none": "Wrong means: the panel answers otherwise. Its own error has not been"
        " measured.",
        "disputes": "Disputed by the client: {contested} not settled, {overturned} found wrong.",
    },
    "fr": {
        "about": "{process}, étape {step}, lot {batch}, pour {client} : {decisions} décisions.",
        "bound": "Au plus {bound} d’entre elles sont fausses ({most} décisions), avec une confiance"
        " de {confidence}, quel que soit le moment de la lecture.",
        "proved": "La promesse d’au plus {promise} est tenue.",
        "unproved": "La promesse d’au plus {promise} n’est pas encore prouvée.",
        "audits": "{audits} tirages ont reçu une nouvelle réponse, à l’aveugle ; faux ou contestés"
        " : {wrong}. L’estimation est de {rate}.",
        "none": "Aucun tirage n’a encore reçu de réponse : rien n’est prouvé.",
        "uniform": "Chaque décision avait la même chance d’être tirée, une fois au plus.",
        "risk": "{share} des tirages étaient uniformes, les autres allaient où l’erreur était plus"
        " probable, et comptent d’autant moins.",
        "same": "Deux réponses qui concordent à {agree_min} sont la même réponse.",
        "fields": "Une fiche est fausse dès qu’un de ses champs l’est.",
        "panel": "Faux veut dire : le jury ({people} personnes) répond autrement. Il s’est trompé"
        " sur {gold_wrong} de {gold} questions témoins : sa propre erreur est d’au plus {panel}.",
        "panel_new": "Faux veut dire : le jury ({people} personnes) répond autrement. Sa propre"
        " erreur n’a pas été mesurée.",
        "panel_none": "Faux veut dire : le jury répond autrement. Sa propre erreur n’a pas été"
        " mesurée.",
        "disputes": "Contestées par le client : {contested} en attente, {overturned} reconnues"
        " fausses.",
    },
}


def sentences(certificate: Certificate, locale: Locale) -> list[str]:
    """What the certificate says, one sentence or two each. Bounds are rounded up."""
    evidence, said = certificate.evidence, certificate.statement
    words = _WORDS[locale]
    values = {
        **{field: getattr(evidence.about, field) for field in ("client", "process", "step")},
        "batch": evidence.about.batch,
        "decisions": as_count(said.decisions, locale),
        "audits": as_count(said.audits, locale),
        "wrong": as_count(said.wrong, locale),
        "most": as_count(said.errors_at_most, locale),
        "bound": as_share(said.bound, locale, up=True),
        "rate": as_share(said.rate, locale),
        "confidence": as_share(1 - evidence.delta, locale),
        "promise": as_share(evidence.error_max, locale),
        "share": as_share(evidence.design.uniform_ppm / 1_000_000, locale),
        "people": as_count(evidence.panel.people, locale),
        "gold": as_count(evidence.panel.gold, locale),
        "gold_wrong": as_count(evidence.panel.gold_wrong, locale),
        "panel": as_share(said.panel_bound, locale, up=True),
        "agree_min": as_share(evidence.panel.agree_min, locale),
        "contested": as_count(len(evidence.contested), locale),
        "overturned": as_count(len(evidence.overturned), locale),
    }
    parts = ["about"]
    parts += (
        ["bound", "proved" if said.proved else "unproved", "audits"] if said.audits else ["none"]
    )
    unmeasured = "panel_new" if evidence.panel.people else "panel_none"
    parts += [evidence.design.kind, "panel" if evidence.panel.gold else unmeasured]
    parts += ["same"] if evidence.panel.agree_min < 1 else []
    parts += ["fields"] if evidence.panel.by_field else []
    parts.append("disputes")
    return [words[part].format_map(values) for part in parts]
