"""What a passed exam gives: a licence for the step."""

from canut.db.pool import SyncConn
from canut.errors import Conflict
from canut.quality.exams.rules import Verdict
from canut.quality.exams.values import Exam
from canut.quality.licences import store
from canut.quality.licences.licensing import grant_person
from canut.quality.model import LicencePlace


def grant(conn: SyncConn, exam: Exam, said: Verdict, now_ms: int) -> None:
    """A licence for the step; nothing where one was granted meanwhile, nor to an agent that earns
    its own by evidence: to it, the exam gives work."""
    place = LicencePlace(exam.contributor_id, exam.process_id, exam.step_slug)
    held = store.open_of_agents(conn, place.process_id, place.step_slug, [place.contributor_id])
    if any(licence.state == "earning" for licence in held):
        return
    finding = {"exam": exam.id, "right": said.right, "of": said.answered, "proved": said.proved}
    try:
        with conn.transaction():
            grant_person(conn, place, now_ms, finding)
    except Conflict:
        # an operator was faster: the licence that is in force stands
        return
