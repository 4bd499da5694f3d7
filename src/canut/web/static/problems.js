// What is wrong with an answer, beside the fields it is wrong with.

// problems are short phrases for programs, and sentences for people
function sentence(text) {
  return text[0].toUpperCase() + text.slice(1) + (".!?…:".includes(text.at(-1)) ? "" : ".");
}

export function showProblems(shown, problems) {
  for (const old of shown.querySelectorAll(".wrong")) old.remove();
  for (const problem of problems) {
    const field = ["answer", problem.field].filter(Boolean).join(".");
    const question = shown.querySelector(`[data-question="${CSS.escape(field)}"]`) ?? shown.querySelector(".question");
    const note = document.createElement("p");
    note.className = "wrong";
    note.id = `wrong-${field.replaceAll(".", "-")}`;
    note.textContent = [problem.message, problem.mend].filter(Boolean).map(sentence).join(" ");
    question.querySelector("legend, .legend").after(note);
    const input = question.querySelector("input:not([type=hidden], [type=radio], [type=checkbox]), textarea");
    input?.setAttribute("aria-invalid", "true");
    (input ?? question).setAttribute("aria-describedby", note.id);
  }
}
