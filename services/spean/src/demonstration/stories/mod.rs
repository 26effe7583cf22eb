//! The stories that must come out right. Each is played through the public gRPC interface, and fails when a promise is
//! broken.

mod both_at_once;
mod power_cut;
mod seventeen_men;
mod six_girls;
mod whole_way;
mod year_at_home;

pub use both_at_once::both_at_once;
pub use power_cut::power_cut;
pub use seventeen_men::seventeen_men;
pub use six_girls::six_girls;
pub use whole_way::whole_way;

use spean_contracts::vocabulary::v1::{Birth, Name, Person, Sex, birth};
use tonic::Status;

use super::narrator::Narrator;

/// The machine-readable reason of a refusal.
pub fn reason(status: &Status) -> String {
    use tonic_types::StatusExt as _;
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// Somebody invented.
pub(crate) fn invented((khmer, latin): (&str, &str), sex: Sex, born: i32, home: &str) -> Person {
    let name = |given: &str, family: &str| Some(Name { family: family.to_owned(), given: given.to_owned() });
    Person {
        // គំរូ is "example": no family of that name.
        khmer_name: name(khmer, "គំរូ"),
        latin_name: name(latin, "Kumru"),
        sex: sex.into(),
        birth: Some(Birth { known: Some(birth::Known::Year(born)) }),
        nationality: "KH".to_owned(),
        languages: vec!["km".to_owned()],
        home_place: home.to_owned(),
        safe_contact: "Only by the commune's women's focal point, never by telephone.".to_owned(),
        narrative: "Told once, to be told no second time.".to_owned(),
        ..Person::default()
    }
}

/// Asks until the service has heard of the case: what one service knows, another hears a moment later.
pub(super) async fn once_known<T>(
    narrator: &Narrator,
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<T, Status>,
) -> anyhow::Result<T> {
    let look = async || match ask().await {
        Ok(answer) => Ok(Some(answer)),
        Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
        Err(status) => Err(status),
    };
    narrator.until(what, look).await
}
