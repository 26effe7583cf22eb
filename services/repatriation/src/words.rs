//! The fixed lists of a transit centre and of repatriation, as they stand in events, and their protobuf form.

use serde::{Deserialize, Serialize};
use spean_chassis::status::invalid;
use spean_contracts::repatriation::v1 as wire;
use strum::{Display, EnumIter, EnumString, IntoStaticStr};
use tonic::Status;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident $read:ident $write:ident $optional:ident {
        $($(#[$variant_doc:meta])* $variant:ident),* $(,)?
    })*) => { $(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString,
            EnumIter, IntoStaticStr,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        /// Reads the word; unspecified and unknown values are refused, naming the field.
        pub fn $read(field: &str, value: i32) -> Result<$name, Status> {
            match wire::$name::try_from(value) {
                $(Ok(wire::$name::$variant) => Ok($name::$variant),)*
                _ => Err(invalid(field, concat!("one of the values of ", stringify!($name), ", not the unspecified one"))),
            }
        }

        /// Reads the word where it may be left out.
        pub fn $optional(field: &str, value: i32) -> Result<Option<$name>, Status> {
            if value == 0 { Ok(None) } else { $read(field, value).map(Some) }
        }

        /// Writes the word.
        pub const fn $write(word: $name) -> wire::$name {
            match word { $($name::$variant => wire::$name::$variant,)* }
        }
    )* };
}

words! {
    /// What kind of authority handed people over.
    AuthorityKind read_authority_kind write_authority_kind read_optional_authority_kind {
        /// Immigration police.
        Immigration,
        /// Border police.
        BorderPolice,
        /// Other police.
        Police,
        /// The armed forces.
        Military,
        /// An embassy or a consulate.
        Consular,
        /// A ministry or department of social affairs.
        SocialAffairs,
        /// A non-governmental organisation.
        Ngo,
        /// An international organisation.
        InternationalOrganisation,
        /// Another authority.
        Other,
    }

    /// In what function an adult was present for a child.
    AdultFunction read_adult_function write_adult_function read_optional_adult_function {
        /// A parent.
        Parent,
        /// A legal guardian.
        Guardian,
        /// Another grown-up relative.
        Relative,
        /// A social worker of the state.
        SocialWorker,
        /// A worker of a non-governmental organisation.
        NgoWorker,
        /// Staff of the centre.
        CentreStaff,
        /// An officer for the protection of children.
        ChildProtectionOfficer,
        /// A lawyer.
        Lawyer,
        /// Another responsible adult.
        Other,
    }

    /// By whom a need was served.
    ServedBy read_served_by write_served_by read_optional_served_by {
        /// The centre itself.
        Centre,
        /// A health centre or hospital.
        HealthFacility,
        /// Another office of the state.
        StateOffice,
        /// A non-governmental organisation.
        Ngo,
        /// The family.
        Family,
        /// The person did not want it.
        DeclinedByPerson,
    }

    /// Where an urgent need stands.
    UrgentNeedState read_urgent_need_state write_urgent_need_state read_optional_urgent_need_state {
        /// It waits, the person is here.
        Open,
        /// It was served.
        Served,
        /// An office has accepted the referral and answers for it.
        PassedOn,
        /// The person left before it was served.
        LeftUnserved,
        /// A later interview found that it is no longer there or can wait.
        NoLongerUrgent,
    }

    /// For whom a bed is.
    BedGroup read_bed_group write_bed_group read_optional_bed_group {
        /// Women.
        Women,
        /// Men.
        Men,
        /// Girls.
        Girls,
        /// Boys.
        Boys,
        /// Families that stay together, whatever their sex and age.
        Family,
    }

    /// Why somebody got a place in a full house.
    OverCapacityReason read_over_capacity write_over_capacity read_optional_over_capacity {
        /// Nobody else takes them tonight.
        NowhereElse,
        /// It is not safe for them anywhere else.
        NotSafeElsewhere,
        /// A family stays together.
        FamilyTogether,
        /// A large group arrived at once.
        MassArrival,
    }

    /// Between which countries.
    RepatriationDirection read_direction write_direction read_optional_direction {
        /// Somebody abroad comes home to this country.
        ToHere,
        /// Somebody in this country goes home to another.
        FromHere,
    }

    /// The steps of a request, in their order.
    RepatriationStep read_step write_step read_optional_step {
        /// Documents gathered.
        Documents,
        /// Nationality confirmed.
        Nationality,
        /// Family confirmed.
        Family,
        /// Approved by this country.
        ApprovalHere,
        /// Approved by the other country.
        ApprovalThere,
        /// Travel arranged.
        Travel,
        /// Received.
        Reception,
    }

    /// Why a step is left out.
    SkipReason read_skip_reason write_skip_reason read_optional_skip_reason {
        /// The agreement between the countries does not ask for it.
        NotRequired,
        /// It was done before, or by others.
        DoneElsewhere,
        /// No family was found, and the person comes all the same.
        FamilyNotFound,
        /// The person is in danger and cannot wait.
        Emergency,
    }

    /// Why a request ends for somebody without a reception.
    EndReason read_end_reason write_end_reason read_optional_end_reason {
        /// Nationality denied: a national of another country.
        OtherNational,
        /// Nationality denied: it could not be established.
        NationalityNotEstablished,
        /// Refused by this country.
        RefusedHere,
        /// Refused by the other country.
        RefusedThere,
        /// Cancelled: the person does not want to go.
        PersonDeclined,
        /// Cancelled: the person was not found when it was time.
        PersonNotFound,
        /// Cancelled: the person came home by another way.
        CameAnotherWay,
        /// Cancelled: it is not safe to go.
        NotSafe,
        /// Cancelled: the person died.
        PersonDied,
        /// Cancelled: asked by mistake, or twice.
        AskedByMistake,
    }

    /// Where a request, or somebody's part in it, stands.
    RepatriationState read_state write_state read_optional_state {
        /// Under way.
        UnderWay,
        /// Received; of a request: everybody who was not taken off.
        Received,
        /// The nationality was denied.
        NationalityDenied,
        /// One of the countries refused.
        Refused,
        /// Cancelled.
        Cancelled,
    }

    /// In what function somebody has a step.
    StaffFunction read_staff_function write_staff_function read_optional_staff_function {
        /// An officer for repatriation.
        RepatriationOfficer,
        /// An officer for intake.
        IntakeOfficer,
        /// A caseworker.
        Caseworker,
        /// Who answers to the other country's authorities.
        ConsularLiaison,
        /// A supervisor.
        Supervisor,
        /// The head of the office.
        HeadOfOffice,
    }

    /// Why a step is handed over.
    DelegateReason read_delegate_reason write_delegate_reason read_optional_delegate_reason {
        /// The owner left the post.
        StaffLeft,
        /// The owner is away for a time.
        StaffAway,
        /// Another office or function is in charge of it.
        NotInCharge,
        /// The owner has too much to do.
        Workload,
    }

    /// How people travel.
    TravelMeans read_means write_means read_optional_means {
        /// By road.
        Road,
        /// By air.
        Air,
        /// By water.
        Water,
        /// On foot over the border.
        OnFoot,
    }

    /// Who goes along.
    EscortFunction read_escort write_escort read_optional_escort {
        /// Nobody.
        Nobody,
        /// A social worker.
        SocialWorker,
        /// Police.
        Police,
        /// A worker of a non-governmental organisation.
        NgoWorker,
        /// Medical staff.
        Medical,
        /// An officer of an embassy or a consulate.
        ConsularOfficer,
    }
}

impl EndReason {
    /// What the end is to be called.
    pub const fn state(self) -> RepatriationState {
        match self {
            Self::OtherNational | Self::NationalityNotEstablished => RepatriationState::NationalityDenied,
            Self::RefusedHere | Self::RefusedThere => RepatriationState::Refused,
            Self::PersonDeclined
            | Self::PersonNotFound
            | Self::CameAnotherWay
            | Self::NotSafe
            | Self::PersonDied
            | Self::AskedByMistake => RepatriationState::Cancelled,
        }
    }
}
