"""What a passed exam gives: a licence for the step."""

from canut.db.pool import SyncConn
from canut.errors import Conflict
from canut.quality.exams.rules import Verdict
from canut.quality.exams.values import Exam
from canut.quality.licences.licensing import grant_person
from canut.quality.model import LicencePlace


def grant(conn: SyncConn, exam: Exam, said: Verdict, now_ms: int) -> None:
    """A licence for the step; nothing where one was granted meanwhile."""
    place = LicencePlace(exam.contributor_id, exam.process_id, exam.step_slug)
    finding = {"exam": exam.id, "right": said.right, "of": said.answered, "proved": said.proved}
    try:
        with conn.transaction():
            grant_person(conn, place, now_ms, finding)
    except Conflict:
        # an operator was faster: the licence that is in force stands
        return
