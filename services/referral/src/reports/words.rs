//! The fixed lists of reports. Each is written in snake case wherever it is stored.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString,
            EnumIter,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),* }
    )* };
}

words! {
    /// What gives rise to worry.
    Concern {
        /// Somebody may be trafficked.
        TraffickingSuspected,
        /// Somebody may be exploited sexually.
        SexualExploitation,
        /// Somebody may be made to work.
        LabourExploitation,
        /// Violence in a family or a household.
        ViolenceAtHome,
        /// A child is alone.
        ChildAlone,
        /// Somebody is missing.
        MissingPerson,
        /// A stranger offers work elsewhere.
        StrangerRecruiting,
        /// Somebody came back and gets no help.
        ReturnedWithoutHelp,
        /// Illness, hunger or want that those nearby cannot relieve.
        Need,
        /// Something else, told in words.
        Other,
    }

    /// By which way a report came in.
    Channel {
        /// A hotline.
        Hotline,
        /// A commune council or its support worker.
        Commune,
        /// Somebody of a network that keeps its eyes open.
        Gatekeeper,
        /// The police.
        Police,
        /// Somebody who came to the office.
        Visitor,
        /// Another way.
        Other,
    }

    /// Where a report stands at an office. The later ones are further along, and are never taken back by what is heard.
    ReportState {
        /// Nobody looks into it yet.
        Received,
        /// It went to another office.
        PassedOn,
        /// Somebody looks into it.
        LookedInto,
        /// There was nothing in it.
        Unfounded,
        /// A case was opened for somebody.
        BecameCase,
        /// Done.
        Closed,
    }

    /// Why there was nothing in it.
    UnfoundedReason {
        /// Nobody was there.
        NobodyThere,
        /// Those who were there are well.
        NoHarmFound,
        /// It was told to do harm.
        ToldToHarm,
        /// Too little was told to find anybody.
        TooLittleTold,
    }

    /// How a report ended.
    CloseReason {
        /// Help was given on the spot.
        HelpedOnTheSpot,
        /// The cases that came of it go on.
        CasesGoOn,
        /// The people were known already.
        KnownAlready,
        /// The people went away before anybody came.
        PeopleGone,
        /// The office that it was passed on to has dealt with it.
        DealtWithElsewhere,
    }

    /// Why a report went to another office.
    PassReason {
        /// That office serves the place.
        ServesPlace,
        /// A member of staff chose it.
        Chosen,
        /// Another office did not answer in time.
        NobodyAnswered,
    }
}

impl ReportState {
    /// Whether nothing more is to be done about a report.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Unfounded | Self::Closed)
    }
}
