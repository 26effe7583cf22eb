//! What is counted, and by what.

use serde::{Deserialize, Serialize};
use spean_chassis::status;
use spean_contracts::insight::v1 as wire;
use strum::{Display, EnumIter, EnumString, IntoEnumIterator as _};
use tonic::Status;

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($variant:ident)* }) => {
        $(#[$about])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        #[expect(missing_docs, reason = "the words are those of the contract, which explains them")]
        pub enum $name { $($variant,)* }

        impl $name {
            /// Reads the word; unspecified and unknown values are refused, naming the field.
            pub fn read(field: &str, value: i32) -> Result<Self, Status> {
                match wire::$name::try_from(value) {
                    $(Ok(wire::$name::$variant) => Ok(Self::$variant),)*
                    _ => Err(status::invalid(
                        field,
                        concat!("one of the values of ", stringify!($name), ", not the unspecified one"),
                    )),
                }
            }

            /// Writes the word.
            pub const fn write(self) -> wire::$name {
                match self { $(Self::$variant => wire::$name::$variant,)* }
            }
        }
    };
}

words! {
    /// What is counted.
    Measure {
        CaseRegistered Arrived Departed OfferMade OfferAccepted OfferDeclined OfferWithdrawn OfferEscalated CaseTakenOver
        ServiceConcluded NeedFound NeedMet NeedUnmet ShelterAdmitted ShelterLeft ReturnedHome FollowUpBegun Visit
        ContactLost ContactFound DangerRaised CaseClosed CaseReopened LivelihoodGiven LivelihoodOutcome ConcernReported
        CaseHandedOn NeedEnded
    }
}

words! {
    /// By what is counted.
    Dimension {
        Province Office Month Sex AgeBand HomeProvince Route Country Sector Detail Waited
        Agency Need
    }
}

words! {
    /// What has a beginning and an end.
    OpenThing { Offers Needs Stays LostContacts Cases }
}

impl Measure {
    /// The answers to this, where it is measured how long they took.
    pub const fn answers(self) -> &'static [Self] {
        match self {
            Self::OfferMade => &[Self::OfferAccepted, Self::OfferDeclined, Self::OfferWithdrawn, Self::OfferEscalated],
            Self::NeedFound => &[Self::NeedMet, Self::NeedEnded],
            Self::ShelterAdmitted => &[Self::ShelterLeft],
            Self::ContactLost => &[Self::ContactFound],
            _ => &[],
        }
    }

    /// What this is an answer to.
    pub fn question(self) -> Option<Self> {
        Self::iter().find(|question| question.answers().contains(&self))
    }
}

impl OpenThing {
    /// The measures that begin it, and those that end it.
    pub const fn bounds(self) -> (&'static [Measure], &'static [Measure]) {
        use Measure::{
            CaseClosed, CaseHandedOn, CaseRegistered, CaseReopened, CaseTakenOver, ContactFound, ContactLost,
            NeedEnded, NeedFound, NeedMet, OfferAccepted, OfferDeclined, OfferEscalated, OfferMade, OfferWithdrawn,
            ShelterAdmitted, ShelterLeft,
        };
        match self {
            Self::Offers => (&[OfferMade], &[OfferAccepted, OfferDeclined, OfferWithdrawn, OfferEscalated]),
            Self::Needs => (&[NeedFound], &[NeedMet, NeedEnded]),
            Self::Stays => (&[ShelterAdmitted], &[ShelterLeft]),
            Self::LostContacts => (&[ContactLost], &[ContactFound]),
            Self::Cases => (&[CaseRegistered, CaseTakenOver, CaseReopened], &[CaseClosed, CaseHandedOn]),
        }
    }

    /// The measures that end it with its case, whatever it is called by.
    pub const fn ends_with_case(self) -> &'static [Measure] {
        match self {
            Self::LostContacts => &[Measure::CaseClosed, Measure::CaseHandedOn],
            _ => &[],
        }
    }
}
