//! `spean office`: whom to write to — offices, places, and the help on offer.

use super::{Task, task};

const PLACES: &str = "places: code level name_km name_en";

pub(super) const TASKS: &[Task] = &[
    task("office serves", "WhoServes", "spean office serves 080201").at(&["place"]),
    task("office list", "ListOffices", "spean office list")
        .lists("offices: office_id level place.code status write_to_office_id"),
    task("office show", "GetOffice", "spean office show kandal-province").at(&["office_id"]),
    task("office history", "GetOfficeHistory", "spean office history kandal-province")
        .at(&["office_id"])
        .lists("changes: kind on_day until_day status reason stand_in_office_id other_office_id"),
    task(
        "office declare",
        "DeclareOfficeStatus",
        "spean office declare kien-svay-district unstaffed --reason staff-away --stand-in-office-id saang-district",
    )
    .at(&["office_id", "status"]),
    task("office agencies", "ListAgencies", "spean office agencies").lists("agencies: agency_id name_km name_en"),
    task("office place show", "GetPlace", "spean office place show 080201").at(&["code"]),
    task("office place list", "ListPlaces", "spean office place list 08").at(&["within"]).lists(PLACES),
    task("office place search", "SearchPlaces", "spean office place search 'Kien Svay'").at(&["name"]).lists(PLACES),
    task("office offering list", "ListOfferings", "spean office offering list --need shelter --place 0802")
        .lists("offerings: offering_id office_id need sexes age_bands languages capacity_persons free_persons as_of"),
    task(
        "office offering publish",
        "PublishOffering",
        "spean office offering publish shelter --sexes female --capacity-persons 8",
    )
    .at(&["need"])
    .mint(&["offering.offering_id"]),
    task("office offering withdraw", "WithdrawOffering", "spean office offering withdraw 7b0c1a2e")
        .at(&["offering_id"]),
    task("office offering changes", "ListOfferingChanges", "spean office offering changes 7b0c1a2e")
        .at(&["offering_id"])
        .lists("changes: version recorded_at offering.need offering.capacity_persons offering.withdrawn_on"),
];
