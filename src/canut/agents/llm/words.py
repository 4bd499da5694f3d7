"""Why a language model gave no answer, in words for the people who read the evidence."""

WHY = {
    "empty": {
        "en": "The item has no text that may be sent.",
        "fr": "L’élément n’a aucun texte qui puisse être envoyé.",
    },
    "long": {
        "en": "The item is too long to be sent.",
        "fr": "L’élément est trop long pour être envoyé.",
    },
    "null": {
        "en": "The model says that the item does not tell.",
        "fr": "Le modèle dit que l’élément ne permet pas de répondre.",
    },
    "checks": {
        "en": "The answer fails a check of the step.",
        "fr": "La réponse échoue à une vérification de l’étape.",
    },
    "unreadable": {
        "en": "The reply is not the JSON that was asked for.",
        "fr": "La réponse n’est pas le JSON demandé.",
    },
    "invalid": {
        "en": "The reply is no valid answer to the question.",
        "fr": "La réponse n’est pas valable pour cette question.",
    },
    "refused": {
        "en": "The model refuses to answer.",
        "fr": "Le modèle refuse de répondre.",
    },
    "length": {
        "en": "The reply was cut off: it is longer than allowed.",
        "fr": "La réponse a été coupée : elle dépasse la longueur permise.",
    },
    "busy": {
        "en": "The server was busy each time it was asked.",
        "fr": "Le serveur était occupé à chaque essai.",
    },
    "late": {
        "en": "The server did not answer in time.",
        "fr": "Le serveur n’a pas répondu à temps.",
    },
    "lost": {
        "en": "The connection to the server was lost.",
        "fr": "La connexion au serveur a été perdue.",
    },
    "garbled": {
        "en": "The server does not keep to its documented format.",
        "fr": "Le serveur ne respecte pas son format documenté.",
    },
    "error": {
        "en": "The server does not accept the request.",
        "fr": "Le serveur n’accepte pas la requête.",
    },
    "budget": {
        "en": "The budget does not cover another call.",
        "fr": "Le budget ne couvre pas un appel de plus.",
    },
}


#: whose money is spent, by `Fault.detail`
BUDGETS = {
    "ever": {
        "en": "What is left of its budget does not cover another call.",
        "fr": "Ce qui reste de son budget ne couvre pas un appel de plus.",
    },
    "month": {
        "en": "What is left of its budget of this month does not cover another call.",
        "fr": "Ce qui reste de son budget de ce mois ne couvre pas un appel de plus.",
    },
    "day": {
        "en": "What is left of its budget of today does not cover another call.",
        "fr": "Ce qui reste de son budget du jour ne couvre pas un appel de plus.",
    },
    "batch": {
        "en": "What is left of its budget for this batch does not cover another call.",
        "fr": "Ce qui reste de son budget pour ce lot ne couvre pas un appel de plus.",
    },
}


def why(fault: str, detail: str = "") -> dict[str, str]:
    """The reason by language ("en", "fr"); a copy."""
    if fault == "budget" and detail in BUDGETS:
        return dict(BUDGETS[detail])
    return dict(WHY[fault])
