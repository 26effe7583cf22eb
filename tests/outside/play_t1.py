"""A case handled across agencies by a client that knows nothing of this project but its addresses.

The services are found by gRPC reflection at run time; nothing here was generated from our files. Two girls from Kandal
are found in Ratanak Kiri: one goes to a shelter, one goes home. Reads its setting as JSON from standard input, for each
desk the address, the office and a token, and prints what came of it as one line of JSON.
"""

import json
import sys
import time
import uuid

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.json_format import MessageToDict, ParseDict
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

PATIENCE_SECONDS = 60


class Desk:
    """Somebody at work: an address, a token, and what reflection says can be asked."""

    def __init__(self, address, office, token):
        self.office = office
        self.channel = grpc.insecure_channel(address)
        self.metadata = [("authorization", f"Bearer {token}")]
        self.database = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)

    def services(self):
        return sorted(self.database.get_services())

    def ask(self, service, method, **request):
        package = service.removesuffix("Service").lower()
        name = f"spean.{package}.v1.{service}"
        described = self.pool.FindServiceByName(name).FindMethodByName(method)
        request_class = message_factory.GetMessageClass(described.input_type)
        response_class = message_factory.GetMessageClass(described.output_type)
        call = self.channel.unary_unary(
            f"/{name}/{method}",
            request_serializer=request_class.SerializeToString,
            response_deserializer=response_class.FromString,
        )
        answer = call(ParseDict(request, request_class()), metadata=self.metadata, timeout=30)
        return MessageToDict(answer, preserving_proto_field_name=True)


# What one service decides, others hear a moment later: until then the case is not there, not ready or not held.
NOT_YET = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.PERMISSION_DENIED)


def until(what, look):
    """Looks until there is something to see."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            found = look()
        except grpc.RpcError as error:
            if error.code() not in NOT_YET:
                raise
            found = None
        if found:
            return found
        time.sleep(0.05)
    raise SystemExit(f"waited in vain for {what}")


def refused(expected, ask):
    try:
        ask()
    except grpc.RpcError as error:
        if error.code() != expected:
            raise
        return error.details()
    raise SystemExit(f"what should be answered with {expected} was done")


def open_case(desk, given, home):
    case = str(uuid.uuid4())
    person = {
        "latin_name": {"family": "Kumru", "given": given},
        "sex": "SEX_FEMALE",
        "birth": {"year": 2011},
        "languages": ["km"],
        "home_place": home,
    }
    desk.ask("CasesService", "RegisterPerson", case_id=case, person=person)
    consent = {
        "consent_id": str(uuid.uuid4()),
        "basis": "CONSENT_BASIS_BEST_INTEREST",
        "parts": ["PART_IDENTITY", "PART_CONTACT"],
        "decision": {
            "decided_on": "2026-01-01",
            "decided_by": desk.office,
            "deciders": ["FUNCTION_SOCIAL_WORKER", "FUNCTION_SUPERVISOR"],
        },
    }
    desk.ask("CasesService", "RecordConsent", case_id=case, consent=consent)
    return case


def hand_over(sender, receiver, case, need):
    """Offers a case, waits until it is read at the other desk, says yes there, and waits for the certificate."""
    offer = str(uuid.uuid4())
    sender.ask(
        "ReferralService", "OfferReferral", offer_id=offer, case_id=case, to_office_id=receiver.office,
        kind="OFFER_KIND_TRANSFER", need=need, urgency="URGENCY_URGENT",
    )
    until("the offer", lambda: receiver.ask("ReferralService", "GetOffer", offer_id=offer))
    receiver.ask("ReferralService", "AcceptOffer", offer_id=offer)
    until("the certificate", lambda: case in held(receiver))
    return offer


def held(desk):
    answer = desk.ask("ReferralService", "ListHeldCases", page={"size": 200})
    return [case["case_id"] for case in answer.get("cases", [])]


def chain(desk, case):
    """The certificates of a case: each names the digest of the one before, and the last names the holder."""
    answer = desk.ask("ReferralService", "GetCustody", case_id=case)
    certificates = answer["chain"]
    for earlier, later in zip(certificates, certificates[1:]):
        if later["previous_digest"] != earlier["digest"]:
            raise SystemExit("the chain of certificates is broken")
    if certificates[-1]["holder_office_id"] != desk.office or not answer.get("held_here"):
        raise SystemExit("the last certificate names another holder")
    return certificates


def main():
    setting = json.load(sys.stdin)
    sender, shelter, home = (Desk(**setting[desk]) for desk in ("sender", "shelter", "home"))
    sheltered = open_case(sender, "Chantha", "080205")
    homeward = open_case(sender, "Bopha", "080203")

    places = [{"sex": "SEX_FEMALE", "children": True, "capacity_persons": 4}]
    shelter.ask("ShelterService", "DeclareCapacity", places=places)
    hand_over(sender, shelter, sheltered, "NEED_SHELTER")
    stay = str(uuid.uuid4())
    until("the admission", lambda: [shelter.ask("ShelterService", "AdmitResident", admission_id=stay, case_id=sheltered)])
    residents = shelter.ask("ShelterService", "ListResidents").get("residents", [])

    def complete():
        return sender.ask("CasesService", "CompleteReturn", case_id=homeward)

    refused(grpc.StatusCode.FAILED_PRECONDITION, complete)
    serving = sender.ask("DirectoryService", "WhoServes", place="080203")["office"]["office_id"]
    hand_over(sender, home, homeward, "NEED_REINTEGRATION_FOLLOW_UP")
    until("the return", lambda: [complete()])
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 7 * 3600))
    plan = until(
        "the plan", lambda: home.ask("FollowupService", "PlanFollowUp", case_id=homeward, reintegrated_on=today)
    )
    refused(grpc.StatusCode.NOT_FOUND, lambda: shelter.ask("ReferralService", "GetCustody", case_id=homeward))

    print(json.dumps({
        "services": sender.services(),
        "serving": serving,
        "holders": {desk.office: len(held(desk)) for desk in (sender, shelter, home)},
        "residents": [resident["case_id"] == sheltered for resident in residents],
        "chain": [certificate["holder_office_id"] for certificate in chain(home, homeward)],
        "epochs": [certificate.get("epoch", 0) for certificate in chain(home, homeward)],
        "visits": len(plan["visits"]),
    }))


if __name__ == "__main__":
    main()
