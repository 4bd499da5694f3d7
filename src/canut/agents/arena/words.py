"""What goes on in the arena, in words: drift, turns, canaries, models that end, duels."""

from canut.agents.arena.canary import Canary
from canut.agents.arena.duels import Stands
from canut.agents.arena.store_calendar import Ending
from canut.agents.standing import DriftState, SeenAlarm, Turn
from canut.quality.figures import Locale, as_count, as_share
from canut.truth.designs import PPM

_DRIFT: dict[Locale, dict[str, str]] = {
    "en": {
        "learning": "What is usual is not known yet: {items} items were looked at.",
        "steady": "Nothing has changed in {items} items and {audits} blind answers.",
        "threshold": "Its work seems to change: it has to be surer to decide alone.",
        "people": "Its work seems to change: people answer more of it blind.",
        "retrain": "Its work seems to change: it learns anew from what people decide now.",
        "challenge": "Its work has changed: a challenger learns from what was decided since.",
        "revoke": "Its work has changed: its licence stands or falls by its blind answers.",
        "calm": "The last step is taken back after {calm} more items without an alarm.",
        "input": "words it has not met: {before} of an item before, {after} since",
        "confidence": "how sure it is: {before} before, {after} since",
        "none": "no answer, or none of these: {before} before, {after} since",
        "class": "answers that say {name}: {before} before, {after} since",
        "audit": "wrong by what people say blind: {before} before, {after} since",
    },
    "fr": {
        "learning": "L’habituel n’est pas encore connu : {items} éléments examinés.",
        "steady": "Rien n’a changé en {items} éléments et {audits} réponses à l’aveugle.",
        "threshold": "Son travail semble changer : il doit être plus sûr pour décider seul.",
        "people": "Son travail semble changer : on en vérifie davantage à l’aveugle.",
        "retrain": "Son travail semble changer : il réapprend de ce que l’on décide désormais.",
        "challenge": "Son travail a changé : un rival apprend de ce qui fut décidé depuis.",
        "revoke": "Son travail a changé : les réponses à l’aveugle décident de sa licence.",
        "calm": "La dernière mesure sera levée après {calm} éléments de plus sans alarme.",
        "input": "mots jamais vus : {before} d’un élément avant, {after} depuis",
        "confidence": "son assurance : {before} avant, {after} depuis",
        "none": "sans réponse, ou aucune de celles-ci : {before} avant, {after} depuis",
        "class": "réponses {name} : {before} avant, {after} depuis",
        "audit": "fausses selon les réponses à l’aveugle : {before} avant, {after} depuis",
    },
}

_TURN: dict[Locale, dict[str, str]] = {
    "en": {
        "placed": "asked as number {place}, where it was put: nothing is measured yet",
        "measuring": "asked as number {place}; too few tasks that all agents answered yet",
        "decides": "asked as number {place}: it can decide {decides} of the tasks measured",
        "nobody": "asked as number {place}: no agent could decide anything yet",
        "duel": "asked as number {place}: it adds nothing itself, but its challenger may",
        "many": "asked as number {place}: not compared, there are too many agents",
        "errs": "not asked: it errs too often in what the others leave",
        "costs": "not asked: it costs more than it saves",
        "repeats": "not asked: the others decide all that it could",
    },
    "fr": {
        "placed": "interrogé en position {place}, choisie à la main : rien n’est encore mesuré",
        "measuring": "interrogé en position {place} ; trop peu de tâches communes à tous",
        "decides": "interrogé en position {place} : il peut décider {decides} des tâches mesurées",
        "nobody": "interrogé en position {place} : aucun agent ne pourrait encore décider",
        "duel": "interrogé en position {place} : il n’apporte rien, son rival peut-être",
        "many": "interrogé en position {place} : non comparé, les agents sont trop nombreux",
        "errs": "pas interrogé : il se trompe trop souvent sur ce que les autres laissent",
        "costs": "pas interrogé : il coûte plus qu’il n’épargne",
        "repeats": "pas interrogé : les autres décident tout ce qu’il pourrait",
    },
}

_CANARY: dict[Locale, str] = {
    "en": "A canary: it decides {share} of its tasks; {answers} blind answers of {needed}, "
    "{wrong} wrong.",
    "fr": "Un canari : il décide {share} de ses tâches ; {answers} réponses à l’aveugle sur "
    "{needed}, dont {wrong} fausses.",
}

_ENDING: dict[Locale, dict[str, str]] = {
    "en": {
        "ends": "The model {model} of {name} ends on {shutdown}.",
        "": "Its successor must be tried from {begin_by} at the latest.",
        "challenger": "{successor} answers in its shadow.",
        "follows": "{successor} has taken over, and decides what its evidence proves.",
        "paused": "The agent is paused: people do its work.",
        "no successor": "Nobody follows: name a successor in the file of models.",
        "dropped": "{successor} lost its duel: name another successor in the file of models.",
        "no work": "{successor} cannot be tried before there is work.",
        "not loaded": "{successor} could not be loaded: see the log.",
    },
    "fr": {
        "ends": "Le modèle {model} de {name} s’arrête le {shutdown}.",
        "": "Son successeur doit être essayé à partir du {begin_by} au plus tard.",
        "challenger": "{successor} répond dans son ombre.",
        "follows": "{successor} l’a remplacé et décide ce que ses preuves permettent.",
        "paused": "L’agent est en pause : des personnes font son travail.",
        "no successor": "Personne ne suit : nommez un successeur dans le fichier des modèles.",
        "dropped": "{successor} a perdu son duel : nommez un autre successeur dans le fichier.",
        "no work": "{successor} ne peut être essayé avant qu’il y ait du travail.",
        "not loaded": "{successor} n’a pas pu être chargé : voyez le journal.",
    },
}

_SIDES: dict[Locale, tuple[str, str, str]] = {
    "en": (
        "champion {version}: decides {coverage}, {cost} an item, wrong alone in {lost}",
        "challenger {version}: might decide {coverage}, {cost} an item, wrong alone in {lost}",
        "{pairs} pairs: ",
    ),
    "fr": (
        "titulaire {version} : décide {coverage}, {cost} par élément, seul en tort {lost} fois",
        "rival {version} : déciderait {coverage}, {cost} par élément, seul en tort {lost} fois",
        "{pairs} paires : ",
    ),
}

_WHY: dict[Locale, dict[str, str]] = {
    "en": {},
    "fr": {
        "proved to be wrong less often": "il est prouvé qu’il se trompe moins souvent",
        "cheaper, and proved not to be wrong more often than agreed": (
            "moins cher, et il est prouvé qu’il ne se trompe pas plus souvent que convenu"
        ),
        "proved to be wrong more often than agreed": (
            "il est prouvé qu’il se trompe plus souvent que convenu"
        ),
        "nothing proved in the time agreed": "rien n’est prouvé dans le temps convenu",
        "nothing proved yet": "rien n’est encore prouvé",
    },
}


def drift_sentences(state: DriftState, locale: Locale) -> list[str]:
    """How careful we are, and why: the step, each alarm, and when it ends."""
    words = _DRIFT[locale]
    values = {
        "items": as_count(state.items, locale),
        "audits": as_count(state.audits, locale),
        "calm": as_count(state.calm_in, locale),
    }
    key = "learning" if state.step == "steady" and state.learning else state.step
    told = [words[key].format(**values)]
    told += [_alarm(alarm, locale) for alarm in state.alarms[-3:]]
    return told + ([words["calm"].format(**values)] if state.step != "steady" else [])


def _alarm(alarm: SeenAlarm, locale: Locale) -> str:
    before, after = (as_share(round(share, 3), locale) for share in (alarm.before, alarm.after))
    return _DRIFT[locale][alarm.signal].format(name=alarm.name, before=before, after=after)


def turn_words(turn: Turn, locale: Locale) -> str:
    """When it is asked, and why."""
    decides = as_share(round(turn.figures.get("decides", 0.0), 3), locale)
    return _TURN[locale][turn.reason].format(place=turn.place, decides=decides)


def canary_words(found: Canary, locale: Locale) -> str:
    """How far it is."""
    share = as_share(found.share_ppm / PPM, locale)
    return _CANARY[locale].format(
        share=share, answers=found.answers, needed=found.needed, wrong=found.wrong
    )


def ending_sentences(one: Ending, locale: Locale) -> list[str]:
    """When its model ends, and what is done about it, or missing."""
    words = _ENDING[locale]
    values = {
        "name": one.name,
        "model": one.model,
        "shutdown": one.shutdown.isoformat(),
        "begin_by": one.begin_by.isoformat(),
        "successor": one.successor,
    }
    return [words["ends"].format(**values), words[one.did].format(**values)]


def duel_sentences(duel: Stands, locale: Locale) -> list[str]:
    """Both sides with what they cost, and where the duel stands."""
    first, second, pairs = _SIDES[locale]
    why = _WHY[locale].get(duel.result.why, duel.result.why)
    return [
        first.format(
            version=duel.champion.id,
            coverage=as_share(round(duel.champion_coverage, 3), locale),
            cost=f"{duel.champion_cost_micro / PPM:.6f}",
            lost=duel.pairs.won,
        ),
        second.format(
            version=duel.challenger.id,
            coverage=as_share(round(duel.coverage, 3), locale),
            cost=f"{duel.cost_micro / PPM:.6f}",
            lost=duel.pairs.lost,
        ),
        pairs.format(pairs=as_count(duel.pairs.judged, locale)) + why,
    ]
