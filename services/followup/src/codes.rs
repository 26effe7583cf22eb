//! The fixed lists of follow-up, between their protobuf and their Rust form. Stored in snake case; only ever added to.

use serde::{Deserialize, Serialize};
use spean_chassis::status::invalid;
use spean_contracts::followup::v1 as wire;
use strum::{Display, EnumIter, EnumString, IntoStaticStr};
use tonic::Status;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)* })*) => { $(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString,
            EnumIter, IntoStaticStr,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Reads the code; unspecified and unknown values are refused, naming the field.
            pub fn read(field: &str, value: i32) -> Result<Self, Status> {
                match wire::$name::try_from(value) {
                    $(Ok(wire::$name::$variant) => Ok(Self::$variant),)*
                    _ => Err(invalid(
                        field,
                        concat!("one of the values of ", stringify!($name), ", not the unspecified one"),
                    )),
                }
            }

            /// The number on the wire.
            pub const fn on_the_wire(self) -> i32 {
                match self { $(Self::$variant => wire::$name::$variant as i32,)* }
            }
        }
    )* };
}

codes! {
    /// Who was present at a visit: a function, never a name.
    PersonFunction {
        /// The mother.
        Mother,
        /// The father.
        Father,
        /// A grandmother or grandfather.
        Grandparent,
        /// An aunt or uncle.
        AuntOrUncle,
        /// A grown-up sister or brother.
        AdultSibling,
        /// Another grown-up of the family.
        OtherRelative,
        /// The legal guardian.
        Guardian,
        /// A foster parent.
        FosterParent,
        /// The wife or husband.
        Spouse,
        /// A teacher.
        Teacher,
        /// The employer.
        Employer,
        /// The village chief.
        VillageChief,
        /// Somebody of the commune council.
        CommuneOfficial,
        /// A nurse, midwife or doctor.
        HealthWorker,
        /// Staff of an organisation that helps.
        NgoWorker,
        /// Another social worker.
        SocialWorker,
        /// Police.
        Police,
        /// A neighbour.
        Neighbour,
        /// Another child.
        Child,
        /// Somebody else.
        Other,
    }
    /// Where a visit takes place.
    VisitPlace {
        /// At home.
        Home,
        /// At school.
        School,
        /// At the person's own business: is the help for a living in use.
        Business,
        /// Where the person works for others.
        Workplace,
        /// The person came to the office.
        Office,
        /// At another place, which the person chose.
        Elsewhere,
    }
    /// What a visit found, as a code.
    Finding {
        /// All is well.
        Well,
        /// Illness or injury.
        Health,
        /// Distress of mind.
        Distress,
        /// Not at school, or trouble there.
        School,
        /// No work, or bad work.
        Work,
        /// No sound or safe home.
        Housing,
        /// Not enough to eat.
        Food,
        /// Violence or the threat of it.
        Violence,
        /// Debt.
        Debt,
        /// Thinks of leaving again by unsafe ways.
        MigrationRisk,
        /// Looked down upon by others.
        Discrimination,
        /// Conflict in the family.
        FamilyConflict,
        /// Alcohol or drugs in the household.
        SubstanceUse,
        /// A matter of law: papers, court, police.
        Legal,
        /// Tools or goods given for a living were sold.
        MeansSold,
        /// Those who did the harm have been in touch.
        ContactByOffenders,
    }
    /// Why a visit is moved to another day.
    RescheduleReason {
        /// The road cannot be used.
        RoadClosed,
        /// No vehicle or fuel.
        NoTransport,
        /// Nobody to go.
        NoWorker,
        /// The person asked for it.
        PersonAsked,
        /// It would not be safe for somebody.
        NotSafe,
        /// To go together with another office.
        JointVisit,
        /// Another reason.
        Other,
    }
    /// Why there is a visit beside the monthly ones.
    ExtraVisitReason {
        /// Somebody may be in danger.
        Danger,
        /// After a missed visit.
        AfterMissed,
        /// To see to a need.
        Need,
        /// To see how a business goes.
        Business,
        /// To see how school goes.
        School,
        /// The person asked for it.
        PersonAsked,
        /// A supervisor asked for it.
        Supervision,
    }
    /// What the danger is.
    DangerSign {
        /// Threats.
        Threat,
        /// Violence at home.
        ViolenceAtHome,
        /// Sexual abuse.
        SexualAbuse,
        /// Those who did the harm are near.
        OffenderNear,
        /// Somebody tries to take the person away again.
        RecruitedAgain,
        /// Exploited at work or at home.
        Exploitation,
        /// A child is neglected.
        Neglect,
        /// The person may do harm to themselves.
        SelfHarm,
        /// A marriage by force.
        ForcedMarriage,
        /// Pressed by lenders.
        DebtCollection,
        /// Another danger.
        Other,
    }
    /// Why contact was lost.
    LossReason {
        /// The person left, nobody knows where to.
        LeftWithoutWord,
        /// Said to be across the border.
        CrossedBorder,
        /// The whole family moved.
        FamilyMoved,
        /// The place was never right.
        AddressWrong,
        /// Was not met again and again.
        NeverMet,
        /// Another reason.
        Other,
    }
    /// What was done to find somebody.
    SearchAction {
        /// Went to the home.
        HomeVisited,
        /// Asked the family.
        FamilyAsked,
        /// Asked the village chief.
        VillageChiefAsked,
        /// Asked the commune council.
        CommuneAsked,
        /// Asked at school.
        SchoolAsked,
        /// Asked the employer.
        EmployerAsked,
        /// Telephoned, as the safe-contact instructions allow.
        Telephoned,
        /// Asked an organisation that helped before.
        OrganisationAsked,
        /// Asked the transit centre.
        TransitCentreAsked,
        /// Asked the police.
        PoliceAsked,
    }
    /// Where somebody was found.
    FoundPlace {
        /// At home.
        AtHome,
        /// Elsewhere in the country.
        InTheCountry,
        /// Across a border.
        Abroad,
        /// In the care of an office or organisation.
        WithAnOffice,
        /// The person has died.
        Died,
    }
    /// Where another office has seen a person.
    Whereabouts {
        /// In a shelter.
        InShelter,
        /// At a transit centre.
        AtTransitCentre,
        /// In the register of another office.
        RegisteredElsewhere,
        /// On the street.
        OnTheStreet,
        /// Across a border.
        Abroad,
        /// Held by police or a prison.
        InCustody,
    }
    /// What came of a contradiction.
    Resolution {
        /// The visit took place; the other word was wrong.
        VisitConfirmed,
        /// The visit did not take place, or met somebody else.
        VisitNotMade,
        /// Both are right: a short absence.
        ShortAbsence,
        /// One of the days was written down wrong.
        DayWrong,
        /// Two persons were taken for one.
        NotTheSamePerson,
    }
    /// A currency. Sums of different currencies are never added.
    Currency {
        /// Riel, in whole riel.
        Khr,
        /// United States dollars, in cents.
        Usd,
    }
    /// What money is for.
    PaymentPurpose {
        /// Emergency: food.
        EmergencyFood,
        /// Emergency: medicine, treatment.
        EmergencyHealth,
        /// Emergency: a safe place.
        EmergencyShelter,
        /// Emergency: a way to safety, or to where help is.
        EmergencyTransport,
        /// Expense of a visit: fuel or fare.
        VisitFuel,
        /// Expense of a visit: allowance for the day.
        VisitAllowance,
        /// Expense of a visit: telephone.
        VisitCommunication,
    }
    /// How far a payment has come.
    PaymentState {
        /// Asked for.
        Requested,
        /// Approved, not yet paid.
        Approved,
        /// Refused.
        Refused,
        /// Paid, no receipt yet.
        Paid,
        /// Paid, and accounted for.
        Receipted,
    }
    /// Why money was refused.
    RefusalReason {
        /// The fund is not for this.
        NotForThisFund,
        /// There is not enough left.
        FundEmpty,
        /// Somebody else pays.
        GivenElsewhere,
        /// More must be known.
        MoreNeeded,
        /// Another reason.
        Other,
    }
    /// What help was given.
    SupportKind {
        /// Medical care.
        Health,
        /// Counselling.
        Counselling,
        /// Legal help.
        Legal,
        /// School: fees, uniform, a place.
        Education,
        /// An apprenticeship.
        Apprenticeship,
        /// Vocational training.
        VocationalTraining,
        /// A small grant for a living.
        Grant,
        /// Tools, machines, animals, nets.
        Tools,
        /// A place in a savings group.
        SavingsGroup,
        /// A job.
        Job,
        /// Food.
        Food,
        /// Repair or rent of a home.
        Housing,
    }
    /// How it goes months later.
    SupportOutcome {
        /// In use, and enough to live on.
        GoesWell,
        /// In use, and not enough to live on.
        NotEnough,
        /// Completed.
        Completed,
        /// Given up.
        Stopped,
        /// Sold or lost.
        Sold,
        /// Nobody could tell.
        NotKnown,
    }
    /// What a supervisor looked at.
    Check {
        /// Whether the files are complete.
        Files,
        /// Whether visits are made and reported.
        Visits,
        /// Whether dangers have a plan.
        Dangers,
        /// Whether safe-contact instructions are kept.
        SafeContact,
        /// Whether money is accounted for.
        Money,
        /// Whether the work can be done.
        Workload,
        /// What the worker should learn.
        Training,
        /// Whether the worker is safe.
        WorkerSafety,
    }
    /// What was found.
    CheckResult {
        /// Good.
        Good,
        /// Can be better.
        ToImprove,
        /// Must be mended now.
        Serious,
    }
    /// A piece of work that goes with a post.
    Duty {
        /// A case to follow up.
        Case,
        /// Money asked for or paid, not yet accounted for.
        Payment,
        /// A danger to be looked after.
        SafetyPlan,
        /// A search for somebody.
        Search,
        /// A point of a supervisor that must be mended.
        SupervisionPoint,
    }
    /// How a follow-up stands.
    FollowUpState {
        /// Visits are made.
        Open,
        /// All visits are answered: the meeting decides.
        DueToClose,
        /// Nobody knows where the person is.
        ContactLost,
        /// Handed to another office, which has not taken it up yet.
        HandedOver,
        /// Closed by a decision of the meeting.
        Closed,
        /// Another office goes on with it.
        TakenUpElsewhere,
    }
    /// What came of looking for a family.
    FamilySearchOutcome {
        /// It was found.
        Found,
        /// It was not found.
        NotFound,
        /// It was found and does not want the person back.
        FamilyRefuses,
        /// It was found and is not safe.
        Unsafe,
    }
    /// Why the meeting closed a follow-up.
    EndReason {
        /// The person lives safely.
        GoalReached,
        /// The person wants no more visits.
        PersonAsked,
        /// The search was in vain.
        ContactLost,
        /// The person lives in another country.
        MovedAbroad,
        /// The person has died.
        Died,
        /// Another service goes on.
        TakenOver,
    }
    /// Why a closed follow-up is opened again.
    ReopenReason {
        /// There is a new danger.
        NewDanger,
        /// The person asks for it.
        PersonAsked,
        /// The person was registered again.
        SeenAgain,
        /// It was closed by mistake.
        ClosedByMistake,
        /// There is a new need.
        NewNeed,
    }

    /// Why the meeting should hear of a case.
    Topic {
        /// All visits are answered and nothing is open: it can be closed.
        DueToClose,
        /// All visits are answered, and something is not well.
        DueToExtend,
        /// A visit is late.
        Overdue,
        /// Two offices say what cannot both be true.
        Contradictory,
        /// The plan was handed over and nobody has taken it up.
        Unanswered,
        /// Nobody knows where the person is.
        ContactLost,
        /// There is a danger.
        Danger,
        /// The person was registered again elsewhere.
        SeenAgain,
        /// An office was asked, and has not answered.
        OfferOpen,
        /// Nobody meets a need.
        NeedOpen,
        /// Another office gives a service.
        ServiceOpen,
    }

    /// Why a follow-up goes on beyond the year.
    ExtendReason {
        /// Somebody is still in danger.
        Danger,
        /// Needs are not met.
        NeedsOpen,
        /// The living does not carry yet.
        Livelihood,
        /// School or training is not finished.
        Education,
        /// Health.
        Health,
        /// Contact was lost for some time.
        ContactWasLost,
        /// The person asks for it.
        PersonAsked,
        /// Something else.
        Other,
    }

    /// Who was at a meeting.
    Attendee {
        /// A provincial department of social affairs.
        ProvincialOffice,
        /// A district office of social affairs.
        DistrictOffice,
        /// An organisation other than the government's.
        Organisation,
        /// The ministry.
        Ministry,
        /// A commune council.
        Commune,
        /// Police.
        Police,
        /// A court or prosecutor.
        Court,
        /// A health service.
        HealthService,
        /// A school or its authority.
        EducationService,
        /// Somebody else.
        Other,
    }
}
