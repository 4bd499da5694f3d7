"""The parts of the API, of both clients."""

from canut.sdk import (
    calls,
    calls_agents,
    calls_certificates,
    calls_exams,
    calls_explain,
    calls_hours,
    calls_licences,
    calls_money,
    calls_pay,
    calls_payouts,
)
from canut.sdk.part import H, Method, Pages, Part


class Processes(Part[H]):
    """What can be outsourced."""

    list = Pages(calls.processes)
    get = Method(calls.process)


class Certificates(Part[H]):
    """What was stated about decisions, and what was contested."""

    evidence = Method(calls_certificates.evidence)
    pdf = Method(calls_explain.pdf)
    disputes = Pages(calls_certificates.disputes)


class Pictures(Part[H]):
    """Pictures that a client keeps with the server."""

    add = Method(calls.add_picture)


class Webhooks(Part[H]):
    """Where deliveries are announced."""

    list = Pages(calls.webhooks)
    create = Method(calls.create_webhook)
    delete = Method(calls.delete_webhook)


class Work(Part[H]):
    """What a contributor does."""

    claim = Method(calls.claim)
    live = Method(calls.live)
    answer = Method(calls.answer)
    answer_all = Method(calls.answer_all)
    give_back = Method(calls.give_back)
    explain = Method(calls_explain.own_answer)
    pay = Method(calls_pay.pay)
    times = Method(calls_pay.times)
    state_time = Method(calls_pay.state_time)
    question = Method(calls.question)
    options = Method(calls.options)


class Exams(Part[H]):
    """How a contributor earns a licence."""

    list = Method(calls_exams.exams)
    start = Method(calls_exams.start)
    topic = Method(calls_exams.topic)
    options = Method(calls_exams.options)
    questions = Method(calls_exams.questions)
    answer = Method(calls_exams.answer)
    result = Method(calls_exams.result)


class Gold(Part[H]):
    """Items whose right answer is known."""

    list = Pages(calls_exams.gold)
    add = Method(calls_exams.add_gold)
    retire = Method(calls_exams.retire_gold)


class Licences(Part[H]):
    """Who may work on a step, and which agent decides alone."""

    mine = Method(calls_licences.mine)
    list = Pages(calls_licences.licences)
    begin = Method(calls_licences.begin)
    grant = Method(calls_licences.grant)
    end = Method(calls_licences.end)
    keep = Method(calls_licences.keep)


class Agents(Part[H]):
    """AI agents at work (operators)."""

    list = Method(calls_agents.agents)
    get = Method(calls_agents.agent)
    pause = Method(calls_agents.pause)
    resume = Method(calls_agents.resume)
    teach = Method(calls_agents.teach)
    end = Method(calls_agents.end)


class People(Part[H]):
    """Who uses the platform (operators)."""

    contributors = Pages(calls.contributors)
    create_contributors = Method(calls.create_contributors)
    create_agent = Method(calls_licences.create_agent)
    set_family = Method(calls_licences.set_family)
    waiting_hours = Pages(calls_hours.waiting)
    record_hours = Method(calls_hours.record)
    decide_hours = Method(calls_hours.decide)
    clients = Pages(calls.clients)
    create_client = Method(calls.create_client)
    audit = Pages(calls.audit)


class Pay(Part[H]):
    """What a contributor is paid."""

    slips = Pages(calls_payouts.slips)
    slip = Method(calls_payouts.slip)
    slip_pdf = Method(calls_payouts.slip_pdf)
    slip_csv = Method(calls_payouts.slip_csv)
    account = Method(calls_payouts.account)
    payouts = Pages(calls_payouts.payouts)
    ask = Method(calls_payouts.ask)
    cancel = Method(calls_payouts.cancel)
    hours = Pages(calls_hours.hours)
    state_hours = Method(calls_hours.state)


class Money(Part[H]):
    """What work costs a client."""

    agree = Method(calls_money.agree)
    purses = Method(calls_money.purses)
    invoices = Pages(calls_money.invoices)
    invoice_pdf = Method(calls_money.invoice_pdf)
    invoice_xml = Method(calls_money.invoice_xml)


class Api(Part[H]):
    """All of it but batches, which each client keeps in its own way."""

    me = Method(calls.me)

    def __init__(self, http: H):
        super().__init__(http)
        self.processes = Processes(http)
        self.certificates = Certificates(http)
        self.pictures = Pictures(http)
        self.webhooks = Webhooks(http)
        self.work = Work(http)
        self.pay = Pay(http)
        self.money = Money(http)
        self.exams = Exams(http)
        self.gold = Gold(http)
        self.licences = Licences(http)
        self.agents = Agents(http)
        self.people = People(http)
