//! `spean referral`: help that offices ask each other for, and reports of people who saw something.

use super::{Task, task};

const OFFERS_IN: &str = "offers: offer_id case_number kind need urgency from_office_id answer_due_at";
const OFFERS_OUT: &str = "offers: offer_id case_number kind need to_office_id age_hours reminders";
const VERDICTS: &str = "verdicts: offer_id case_id done reason message to_office_id";
const NEWS: &str = "news: case_number|case_id number stage service seen_again occurred_on from_office_id heard_at";

pub(super) const TASKS: &[Task] = &[
    task(
        "referral offer",
        "OfferReferral",
        "spean referral offer PT4K-79QX kandal-province --kind transfer --need shelter --urgency urgent",
    )
    .at(&["case_id", "to_office_id"])
    .mint(&["offer_id"]),
    task("referral inbox", "ListWorklist", "spean referral inbox").fixed(&[("worklist", "to-answer")]).lists(OFFERS_IN),
    task("referral outbox", "ListWorklist", "spean referral outbox").fixed(&[("worklist", "waiting")]).lists(OFFERS_OUT),
    task("referral bound", "ListWorklist", "spean referral bound").fixed(&[("worklist", "bound")]).lists(OFFERS_IN),
    task("referral too-long", "ListWorklist", "spean referral too-long")
        .fixed(&[("worklist", "unanswered-at-the-top")])
        .lists(OFFERS_OUT),
    task("referral list", "ListWorklist", "spean referral list --limit 20")
        .fixed(&[("worklist", "")])
        .lists("offers: offer_id case_number kind need urgency from_office_id to_office_id state"),
    task("referral show", "GetOffer", "spean referral show 7b0c1a2e").at(&["offer_id"]),
    task("referral dossier", "OpenDossier", "spean referral dossier 7b0c1a2e --purpose 'intake interview'")
        .at(&["offer_id"]),
    task("referral accept", "AcceptOffer", "spean referral accept PT4K-79QX").at(&["offer_id"]),
    task("referral decline", "DeclineOffer", "spean referral decline 7b0c1a2e --reason no-capacity").at(&["offer_id"]),
    task("referral withdraw", "WithdrawOffer", "spean referral withdraw 7b0c1a2e --reason sent-by-mistake")
        .at(&["offer_id"]),
    task("referral conclude", "ConcludeService", "spean referral conclude 7b0c1a2e --outcome completed")
        .at(&["offer_id"]),
    task(
        "referral many offer",
        "OfferMany",
        "spean referral many offer --mode each \
         --offers case_id=PT4K-79QX,to_office_id=kandal-province,kind=service,need=legal,urgency=routine",
    )
    .mint(&["offers.offer_id"])
    .lists(VERDICTS),
    task("referral many accept", "AcceptMany", "spean referral many accept 7b0c1a2e,9f3a51c0 --mode all")
        .at(&["offer_ids"])
        .lists(VERDICTS),
    task(
        "referral many decline",
        "DeclineMany",
        "spean referral many decline --mode each --offers offer_id=7b0c1a2e,reason=no-capacity",
    )
    .lists(VERDICTS),
    task("referral down list", "ListCasesToMoveDown", "spean referral down list").lists(
        "cases: case_number|case_id meant_for_office_id redirected_because need urgency age_hours transfer_open",
    ),
    task(
        "referral down offer",
        "MoveDown",
        "spean referral down offer kien-svay-district --mode each --cases case_id=PT4K-79QX,need=shelter,urgency=urgent",
    )
    .at(&["office_id"])
    .mint(&["cases.offer_id"])
    .lists(VERDICTS),
    task("referral hand-over list", "ListCasesToHandOver", "spean referral hand-over list")
        .lists("cases: case_number|case_id holder_office_id successor_office_id because age_hours transfer_open"),
    task(
        "referral hand-over offer",
        "HandOverCases",
        "spean referral hand-over offer kandal-province --mode all \
         --cases case_id=PT4K-79QX,need=shelter,urgency=urgent",
    )
    .at(&["office_id"])
    .mint(&["cases.offer_id"])
    .lists(VERDICTS),
    task(
        "referral override propose",
        "ProposeOverride",
        "spean referral override propose PT4K-79QX kandal-province --legal-basis holder-unreachable",
    )
    .at(&["case_id", "new_holder_office_id"]),
    task("referral override consent", "ConsentToOverride", "spean referral override consent PT4K-79QX 5d1e2f30")
        .at(&["case_id", "proposal"]),
    task("referral override cosign", "CosignOverride", "spean referral override cosign PT4K-79QX 5d1e2f30")
        .at(&["case_id", "proposal"]),
    task("referral override list", "ListOverrideProposals", "spean referral override list")
        .lists("proposals: proposal case_id new_holder_office_id legal_basis proposed_at"),
    task("referral news list", "ListNews", "spean referral news list").lists(NEWS),
    task("referral news read", "AcknowledgeNews", "spean referral news read PT4K-79QX 3").at(&["case_id", "up_to_number"]),
    task("referral progress", "ListProgress", "spean referral progress PT4K-79QX").at(&["case_id"]).lists(NEWS),
    task(
        "referral concern submit",
        "SubmitReport",
        "spean referral concern submit --channel commune --place 080201 --concerns child-alone --urgency urgent \
         --people 2 --personal -",
    )
    .mint(&["report_id"])
    .today(&["seen_on"]),
    task("referral concern status", "GetReportStatus", "spean referral concern status R7K2-91").at(&["reference"]),
    task("referral concern list", "ListReports", "spean referral concern list --list to-do")
        .lists("reports: report_id state place concerns urgency people age_hours overdue"),
    task("referral concern show", "GetReport", "spean referral concern show 7b0c1a2e --purpose 'going there'")
        .at(&["report_id"]),
    task("referral concern take-up", "TakeUpReport", "spean referral concern take-up 7b0c1a2e").at(&["report_id"]),
    task("referral concern pass-on", "PassOnReport", "spean referral concern pass-on 7b0c1a2e kandal-province")
        .at(&["report_id", "to_office_id"]),
    task("referral concern link", "LinkReportToCase", "spean referral concern link 7b0c1a2e PT4K-79QX")
        .at(&["report_id", "case_id"]),
    task("referral concern unfounded", "FindReportUnfounded", "spean referral concern unfounded 7b0c1a2e --reason nobody-there")
        .at(&["report_id"]),
    task("referral concern close", "CloseReport", "spean referral concern close 7b0c1a2e --reason cases-go-on")
        .at(&["report_id"]),
    task("referral concern reporter", "ReadReporter", "spean referral concern reporter 7b0c1a2e --purpose 'call back'")
        .at(&["report_id"]),
    task("referral concern erase-reporter", "EraseReporter", "spean referral concern erase-reporter 7b0c1a2e --ground asked")
        .at(&["report_id"])
        .irreversible(),
    task(
        "referral need open",
        "OpenNeed",
        "spean referral need open PT4K-79QX vocational-training --urgency routine --reach province",
    )
    .at(&["case_id", "need"])
    .mint(&["need_id"]),
    task("referral need list", "ListNeeds", "spean referral need list --unmet-only")
        .lists("needs: need_id case_number|case_id need urgency state age_hours unmet_reason"),
    task("referral need show", "GetNeed", "spean referral need show 7b0c1a2e").at(&["need_id"]),
    task("referral need match", "FindServices", "spean referral need match --need-id 7b0c1a2e").lists(
        "matches: office_id eligible score reasons_for reasons_against excluded_because free_persons",
    ),
    task("referral need met", "RecordNeedMet", "spean referral need met 7b0c1a2e --outcome completed").at(&["need_id"]),
    task(
        "referral need refused",
        "RecordNeedRefused",
        "spean referral need refused 7b0c1a2e --provider-office-id kandal-province --reasons too-far",
    )
    .at(&["need_id"]),
    task("referral need unmet", "MarkNeedUnmet", "spean referral need unmet 7b0c1a2e --reason all-full").at(&["need_id"]),
    task("referral need reopen", "ReopenNeed", "spean referral need reopen 7b0c1a2e").at(&["need_id"]),
    task("referral need withdraw", "WithdrawNeed", "spean referral need withdraw 7b0c1a2e").at(&["need_id"]),
    task("referral need tasks", "ListNeedTasks", "spean referral need tasks")
        .lists("tasks: kind case_id offer_id office_id need urgency age_hours kept_until"),
    task("referral need waiting", "ListWaiting", "spean referral need waiting --need shelter")
        .lists("waiting: offer_id position case_id from_office_id need urgency age_hours kept_until"),
    task("referral need leave", "LeaveWaitingList", "spean referral need leave 7b0c1a2e --reason another-way-found")
        .at(&["offer_id"]),
    task("referral need count", "CountUnmetNeeds", "spean referral need count --from 2026-01-01 --to 2026-04-30")
        .lists("counts: province district need month reason needs still_unmet"),
];
