//! The fixed lists of needs and waiting lists. Each is written in snake case wherever it is stored.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString,
            EnumIter, IntoStaticStr,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),* }
    )* };
}

codes! {
    /// How far away help may be.
    Reach {
        /// In the same district.
        District,
        /// In the same province.
        Province,
        /// Anywhere.
        Any,
    }

    /// Why nobody can meet a need now.
    UnmetReason {
        /// No known office offers it.
        NobodyOffersIt,
        /// Offices offer it, none for this person.
        NobodyFits,
        /// All that fit are full.
        AllFull,
        /// All that fit said no, or the person refused them.
        AllDeclined,
    }

    /// Why a person refused.
    RefusalReason {
        /// Too far away.
        TooFar,
        /// Nobody there speaks the person's language.
        Language,
        /// Because of who works there.
        Worker,
        /// The person does not feel safe there.
        NotSafe,
        /// The person is needed at home or at work, or wants to be there.
        FamilyOrWork,
        /// What the person went through there before.
        EarlierExperience,
        /// The rules of the house.
        HouseRules,
        /// The person gave no reason and need not.
        NotTold,
        /// Another reason.
        Other,
    }

    /// Why somebody is no longer on a waiting list.
    WaitingEnd {
        /// The place was given.
        PlaceGiven,
        /// The person refused.
        PersonRefused,
        /// Another way was found.
        AnotherWayFound,
        /// It does not fit any more.
        NoLongerSuitable,
        /// Put there by mistake.
        Mistake,
        /// The person waits by a newer offer.
        OfferedAgain,
    }

    /// Why somebody is taken although no place is free.
    OverCapacityReason {
        /// Somebody is in danger.
        Emergency,
        /// A family stays together.
        FamilyTogether,
        /// A place will be free within days.
        PlaceSoonFree,
        /// A place was made.
        PlaceMade,
    }
}

#[expect(clippy::derivable_impls, reason = "the macro that makes the lists knows no default")]
impl Default for Reach {
    fn default() -> Self {
        Self::Any
    }
}
