//! The fixed lists of the field. Each is written in snake case wherever it is stored or sent.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

macro_rules! words {
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

words! {
    /// The services of a node: who a message inside the network is for.
    Service {
        /// The register of people and their files.
        Cases,
        /// The directory of agencies, offices, places and help on offer.
        Directory,
        /// Visits after reintegration.
        Followup,
        /// Figures without persons.
        Insight,
        /// The agency's desk to the outside: every handoff.
        Referral,
        /// Arrivals at a transit centre.
        Repatriation,
        /// Beds and residents.
        Shelter,
    }

    /// Sex as recorded. `Unknown` is an answer, not a missing field: nobody is turned away for it.
    Sex {
        /// Female.
        Female,
        /// Male.
        Male,
        /// Neither of the two, in the person's own words.
        Other,
        /// Not known, or not asked.
        Unknown,
    }

    /// What a preview says of an age. The bounds follow the Convention on the Rights of the Child: a child is under 18.
    AgeBand {
        /// Under 6 years.
        Infant,
        /// 6 to 11 years.
        Child,
        /// 12 to 17 years.
        Adolescent,
        /// 18 years and older.
        Adult,
        /// Not known: to be treated as a child until it is.
        Unknown,
    }

    /// How soon an answer is needed.
    Urgency {
        /// An answer within hours: somebody is in danger.
        Emergency,
        /// An answer within days.
        Urgent,
        /// An answer within weeks.
        Routine,
    }

    /// What somebody needs, and what an offering gives.
    Need {
        /// A safe place to sleep.
        Shelter,
        /// Medical care.
        Medical,
        /// Counselling after trauma.
        Counselling,
        /// Legal help.
        Legal,
        /// Vocational training.
        VocationalTraining,
        /// School.
        Education,
        /// Finding the family.
        FamilyTracing,
        /// Going home, with visits afterwards.
        ReintegrationFollowUp,
        /// Money or goods for living.
        Livelihood,
        /// A way home across a border.
        Repatriation,
    }

    /// Which of the two ways a referral is meant.
    OfferKind {
        /// Help is asked for; the case stays with its holder.
        Service,
        /// The case itself is to move.
        Transfer,
    }

    /// Why an office said no.
    DeclineReason {
        /// No free place.
        NoCapacity,
        /// Not for this sex, age or kind of need.
        NotEligible,
        /// Put on a waiting list; offer again later.
        WaitingList,
        /// More must be known first.
        MoreAssessmentNeeded,
        /// The person is known to be elsewhere.
        PersonElsewhere,
        /// Taking the case would endanger the person.
        NotSafe,
        /// The office has closed, and another one does its work. Only the system itself says so, with the successor.
        OfficeMoved,
    }

    /// Why an offer was taken back.
    WithdrawReason {
        /// Nobody answered in time; it goes to a higher office.
        Escalated,
        /// The holder found another way.
        AnotherWayFound,
        /// The person no longer agrees.
        ConsentWithdrawn,
        /// It was sent by mistake.
        SentByMistake,
        /// The holder came back from a backup and must offer afresh.
        HolderRestored,
        /// Nobody works at the office that was asked; the offer goes to whoever stands in for it.
        Rerouted,
        /// The office that was asked has closed; the offer goes to whoever does its work now.
        OfficeClosed,
        /// The case was closed before anybody answered.
        CaseClosed,
        /// The person was erased before anybody answered: there is nobody left to hand over.
        PersonErased,
    }

    /// Why an offer went to another office than the one it was meant for.
    Redirection {
        /// Nobody works there; the nearest office above that is staffed was asked.
        Unstaffed,
        /// Another office stands in for it.
        StandsIn,
        /// It has closed, and nobody was named in its place; the nearest office above was asked.
        Closed,
        /// Another office does its work now.
        Moved,
        /// Nobody answered there in time; the office above was asked.
        Unanswered,
    }

    /// By what right custody is moved over the holder's head. Only the code is kept here: the paper stays where it is.
    LegalBasis {
        /// A court has ordered it.
        CourtOrder,
        /// The office that holds the case was dissolved.
        OfficeDissolved,
        /// The office that holds the case cannot be reached.
        HolderUnreachable,
        /// A child would come to harm if it were not done.
        ChildAtRisk,
        /// The ministry has decided it in writing.
        MinisterialDecision,
        /// The person asked the authority for another office.
        PersonRequest,
    }

    /// A part of what is known of a person. Consent names the parts that may travel.
    Part {
        /// Who somebody is.
        Identity,
        /// How to find and reach somebody.
        Contact,
        /// What happened.
        Narrative,
        /// Health, as far as who helps must know.
        Health,
    }

    /// On whose word personal data may travel.
    ConsentBasis {
        /// The person agreed.
        Person,
        /// A parent or guardian agreed for a child.
        Guardian,
        /// A recorded decision in the child's best interest.
        BestInterest,
    }

    /// How a planned visit ended.
    VisitOutcome {
        /// The person was met.
        Met,
        /// Nobody was there.
        Missed,
        /// The person did not want the visit.
        Refused,
    }
}

impl AgeBand {
    /// The band of an age in completed years; unknown when the age is.
    pub const fn of(age_years: Option<i32>) -> Self {
        match age_years {
            None => Self::Unknown,
            Some(..6) => Self::Infant,
            Some(6..12) => Self::Child,
            Some(12..18) => Self::Adolescent,
            Some(18..) => Self::Adult,
        }
    }

    /// Whether the protection of a child is due. An unknown age counts as a child's: the error must fall on that side.
    pub const fn is_child(self) -> bool {
        !matches!(self, Self::Adult)
    }
}
