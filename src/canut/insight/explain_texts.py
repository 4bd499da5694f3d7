"""The sentences of explanations, by name; `canut.insight.explain_words` fills them in."""

Words = dict[str, str]

ENGLISH: Words = {
    "decided": "Decided: {value}, with a confidence of {confidence}.",
    "person": "Contributor {name} answered {value}.",
    "played": "Contributor {name} (simulated) answered {value}.",
    "agent": "Contributor {name}, an AI agent of the family {family}, answered {value}.",
    "agent_alone": "Contributor {name}, an AI agent, answered {value}.",
    "expert": "Contributor {name} answered {value} as an expert.",
    "stated": "It said that it was {stated} sure.",
    "skill": "Until then {name} was believed to be right {skill} of the time at this step; by now"
    " {judged} answers of {name} could be judged here.",
    "skill_new": "{name} was new at this step, and believed to be right {skill} of the time until"
    " there is a record.",
    "skill_lost": "How often {name} was right then was not kept.",
    "weight": "It counted as {weight} of an answer, because answers that are not independent share"
    " one voice.",
    "first": "After the first answer the likeliest was {value}, with {belief}.",
    "next": "After answer {n}: {value}, {belief}.",
    "exact": "This course is computed again by the rule that decided, and ends at the numbers that"
    " were kept.",
    "rough": "This course is computed with what is known of the contributors today, for what was"
    " known then has not all been kept. It ends at {ends}; decided was with {confidence}.",
    "ordinary": "The answers before the expert's are weighed with what is known of the contributors"
    " today.",
    "answers": "It stopped there because {confidence} reaches the target of {target}.",
    "answers_short": "It stopped there with {confidence}, below the target of {target} for one"
    " decision: what is promised is about all of them together, and those before left room for it.",
    "seconded": "It stopped there because an AI agent had answered the same. People judge this"
    " agent blind, so it is known how seldom one of them and the agent are wrong alike.",
    "exhausted": "It stopped there because every answer this step may ask for was given"
    " ({n}), though the target of {target} was not reached.",
    "by_expert": "The answers did not settle it, so an expert was asked, and the expert's word"
    " stands. It is trusted as far as experts' records at this step go.",
    "licence": "An AI agent decided alone, under version {version} of its licence: it may where it"
    " is at least {threshold} sure, and it was {stated} sure.",
    "licence_slice": "The licence holds part by part, told by {by}: this is {slice}, with evidence"
    " and a threshold of its own.",
    "licence_proof": "That was proved on {audits} blind answers, {wrong} of them wrong: at most"
    " {bound} errors, at {confidence} confidence; allowed are {error}. The confidence is what the"
    " licence promises.",
    "licence_lost": "An AI agent decided alone under a licence.",
    "panel": "The client contested the decision. {n} people who had not seen the item answered it"
    " blind, and their answer is the decision now. Its confidence counts those who stand behind it,"
    " as if four more had answered, three of them so.",
    "about": "about {right}",
    "nearly_all": "more than 99",
    "calibrated": "Of 100 decisions of about this confidence at this step, {about} are right;"
    " measured on {n}.",
    "calibrated_rough": "Of 100 decisions of about this confidence at this step, {about} are"
    " right; but only {n} were measured, so take it as rough.",
    "uncalibrated": "How often decisions of this confidence are right has not been measured at this"
    " step yet.",
    "before": "Until {value_now} it was {value}, with a confidence of {confidence}: contested, and"
    " overturned.",
    "held_back": "An AI agent of the family {family} proposed {value}, which counts for nothing:"
    " {why}.",
    "held_back_alone": "An AI agent proposed {value}, which counts for nothing: {why}.",
    "own": "You answered {value}.",
    "own_open": "It is not decided yet, or not shown: of all answers one in four, drawn by lot, is"
    " never shown, and checks never are, so that nobody can tell checks from work.",
    "own_decided": "Decided: {value}, with a confidence of {confidence}.",
    "own_same": "Your answer agrees with the decision.",
    "own_near": "Your answer agrees with the decision by {agreement}.",
    "own_other": "Your answer differs from the decision. That need not mean that it was careless:"
    " one in {odds} such decisions is expected to be wrong.",
    "own_other_sure": "Your answer differs from the decision.",
    "own_answers": "{n} answers were weighed, each by how often its contributor is right at this"
    " step, until the target of {target} was reached.",
    "own_answers_short": "{n} answers were weighed, each by how often its contributor is right at"
    " this step. What is promised is about all decisions together, and left room for this one.",
    "own_exhausted": "{n} answers were weighed, all that this step may ask for; the target of"
    " {target} was not reached.",
    "own_expert": "The answers did not settle it, so an expert was asked, whose word stands.",
    "own_licence": "An AI agent decided it under a licence that it has earned on blind answers.",
    "own_panel": "The client contested it, and a panel of people who had not seen it decided.",
}
FRENCH: Words = {
    "decided": "Décidé : {value}, avec une confiance de {confidence}.",
    "person": "Le contributeur {name} a répondu {value}.",
    "played": "Le contributeur {name} (simulé) a répondu {value}.",
    "agent": "Le contributeur {name}, un agent d’IA de la famille {family}, a répondu {value}.",
    "agent_alone": "Le contributeur {name}, un agent d’IA, a répondu {value}.",
    "expert": "Le contributeur {name} a répondu {value} en tant qu’expert.",
    "stated": "Il se disait sûr à {stated}.",
    "skill": "Jusque-là, on estimait que {name} avait raison {skill} du temps à cette étape ; à ce"
    " jour, {judged} réponses de {name} ont pu y être jugées.",
    "skill_new": "{name} débutait à cette étape : sans antécédents, on suppose qu’il a raison"
    " {skill} du temps.",
    "skill_lost": "La fréquence à laquelle {name} avait raison alors n’a pas été conservée.",
    "weight": "Cette réponse a compté pour {weight} de réponse, car les réponses qui ne sont pas"
    " indépendantes partagent une seule voix.",
    "first": "Après la première réponse, le plus probable était {value}, avec {belief}.",
    "next": "Après la réponse {n} : {value}, {belief}.",
    "exact": "Ce cheminement est recalculé par la règle qui a décidé, et aboutit aux chiffres qui"
    " ont été conservés.",
    "rough": "Ce cheminement est calculé avec ce que l’on sait aujourd’hui des contributeurs, car"
    " tout ce que l’on savait alors n’a pas été conservé. Il aboutit à {ends} ; la décision a été"
    " prise à {confidence}.",
    "ordinary": "Les réponses qui précèdent celle de l’expert sont pesées avec ce que l’on sait"
    " aujourd’hui des contributeurs.",
    "answers": "On s’est arrêté là parce que {confidence} atteint l’objectif de {target}.",
    "answers_short": "On s’est arrêté là à {confidence}, en deçà de l’objectif de {target} pour une"
    " seule décision : la promesse porte sur l’ensemble, et les précédentes laissaient de la"
    " marge.",
    "seconded": "On s’est arrêté là parce qu’un agent d’IA avait donné la même réponse. Des"
    " personnes jugent cet agent à l’aveugle, et l’on sait combien il est rare que l’une d’elles et"
    " lui se trompent de la même façon.",
    "exhausted": "On s’est arrêté là parce que toutes les réponses que cette étape peut demander"
    " ont été données ({n}), bien que l’objectif de {target} ne soit pas atteint.",
    "by_expert": "Les réponses n’ont pas tranché : un expert a été sollicité, et sa réponse fait"
    " foi. On s’y fie autant que le permettent les antécédents des experts à cette étape.",
    "licence": "Un agent d’IA a décidé seul, selon la version {version} de sa licence : il le peut"
    " quand il est sûr à {threshold} au moins, et il l’était à {stated}.",
    "licence_slice": "La licence vaut partie par partie, selon {by} : ici, {slice}, avec ses"
    " propres preuves et son propre seuil.",
    "licence_proof": "Cela a été prouvé sur {audits} réponses à l’aveugle, dont {wrong} fausses :"
    " au plus {bound} d’erreurs, avec une confiance de {confidence} ; sont permis {error}. La"
    " confiance de la décision est ce que promet la licence.",
    "licence_lost": "Un agent d’IA a décidé seul, sous licence.",
    "panel": "Le client a contesté la décision. {n} personnes qui ne l’avaient jamais eu ont"
    " répondu à l’aveugle, et leur réponse est désormais la décision. Sa confiance compte celles"
    " qui la soutiennent, comme si quatre autres avaient répondu, dont trois dans ce sens.",
    "about": "environ {right}",
    "nearly_all": "plus de 99",
    "calibrated": "Sur 100 décisions d’une confiance voisine à cette étape, {about} sont"
    " justes ; mesuré sur {n}.",
    "calibrated_rough": "Sur 100 décisions d’une confiance voisine à cette étape, {about}"
    " sont justes ; mais {n} seulement ont été mesurées : c’est un ordre de grandeur.",
    "uncalibrated": "On n’a pas encore mesuré à cette étape combien de décisions de cette confiance"
    " sont justes.",
    "before": "Avant {value_now}, c’était {value}, avec une confiance de {confidence} : contesté,"
    " puis infirmé.",
    "held_back": "Un agent d’IA de la famille {family} a proposé {value}, ce qui ne compte"
    " pas\u00a0: {why}.",
    "held_back_alone": "Un agent d’IA a proposé {value}, ce qui ne compte pas\u00a0: {why}.",
    "own": "Vous avez répondu {value}.",
    "own_open": "Ce n’est pas encore décidé, ou pas montré : une réponse sur quatre, tirée au sort,"
    " n’est jamais montrée, et les contrôles ne le sont jamais, pour que personne ne puisse"
    " distinguer un contrôle du travail.",
    "own_decided": "Décidé : {value}, avec une confiance de {confidence}.",
    "own_same": "Votre réponse concorde avec la décision.",
    "own_near": "Votre réponse concorde à {agreement} avec la décision.",
    "own_other": "Votre réponse diffère de la décision. Cela ne veut pas dire qu’elle manquait de"
    " soin : une telle décision sur {odds} devrait être fausse.",
    "own_other_sure": "Votre réponse diffère de la décision.",
    "own_answers": "{n} réponses ont été pesées, chacune selon la fréquence à laquelle son auteur a"
    " raison à cette étape, jusqu’à atteindre l’objectif de {target}.",
    "own_answers_short": "{n} réponses ont été pesées, chacune selon la fréquence à laquelle son"
    " auteur a raison à cette étape. La promesse porte sur l’ensemble des décisions, et laissait de"
    " la marge à celle-ci.",
    "own_exhausted": "{n} réponses ont été pesées, toutes celles que cette étape peut demander ;"
    " l’objectif de {target} n’a pas été atteint.",
    "own_expert": "Les réponses n’ont pas tranché : un expert a été sollicité, et sa réponse fait"
    " foi.",
    "own_licence": "Un agent d’IA a décidé, sous une licence gagnée sur des réponses à l’aveugle.",
    "own_panel": "Le client l’a contesté, et un jury qui ne l’avait jamais eu a décidé.",
}
