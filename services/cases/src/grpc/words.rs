//! The fixed lists of the register, between their protobuf and their Rust form.

use spean_chassis::status::invalid;
use spean_contracts::cases::v1 as wire;
use tonic::Status;

use crate::case::words as told;

macro_rules! words {
    ($($read:ident $write:ident $word:ident { $($variant:ident)* })*) => { $(
        pub(super) fn $read(field: &str, value: i32) -> Result<told::$word, Status> {
            match wire::$word::try_from(value) {
                $(Ok(wire::$word::$variant) => Ok(told::$word::$variant),)*
                _ => Err(invalid(field, concat!("one of the values of ", stringify!($word), ", not the unspecified one"))),
            }
        }

        words! { @write $write $word { $($variant)* } }
    )* };
    (@write unwritten $word:ident { $($variant:ident)* }) => {};
    (@write $write:ident $word:ident { $($variant:ident)* }) => {
        pub(super) const fn $write(word: told::$word) -> wire::$word {
            match word { $(told::$word::$variant => wire::$word::$variant,)* }
        }
    };
}

words! {
    read_guardian write_guardian Guardian { Mother Father Grandparent Sibling OtherRelative Legal State }
    read_function write_function Function {
        SocialWorker Supervisor ChildProtectionOfficer HealthWorker Psychologist LegalAdviser PoliceOfficer
        LocalAuthority ShelterManager CourtOfficer
    }
    read_act write_act Act { Recruitment Transportation Transfer Harbouring Receipt }
    read_means write_means Means {
        Threat Force Coercion Abduction Fraud Deception AbuseOfPower AbuseOfVulnerability PaymentToController
        DebtBondage Confinement PapersTaken WagesWithheld Substances
    }
    read_exploitation_purpose write_exploitation_purpose ExploitationPurpose {
        ForcedLabour DomesticServitude SexualExploitation ForcedMarriage ForcedBegging ForcedCriminality OrganRemoval
        ArmedConflict IllegalAdoption Surrogacy Slavery
    }
    read_abuse write_abuse Abuse {
        Physical Sexual Psychological Neglect DomesticViolence Abandonment ChildLabour LabourExploitation
    }
    read_finding write_finding Finding { Trafficked Exploited Abused Smuggled NoneOfThese Undetermined }
    read_body write_body Body { Police Prosecutor Court SocialAffairs NonGovernmental International Abroad }
    read_risk_kind write_risk_kind RiskKind {
        SelfHarm ViolenceAtHome ExploiterNear ThreatToFamily RunningAway ExploitedAgain Medical Pregnancy Substances
        NoSafePlace
    }
    read_severity write_severity Severity { Watch Serious Acute }
    read_attachment_kind write_attachment_kind AttachmentKind {
        IdentityPaper TravelPaper Photograph ConsentForm MedicalReport CourtPaper PoliceReport Other
    }
    read_file_item write_file_item FileItem {
        Name Birth Sex HomePlace Consent Needs Facts Risk IdentityPaper Photograph
    }
    read_waive_reason write_waive_reason WaiveReason { NotApplicable PersonDeclined NotObtainable NothingFound }
    read_retract_reason unwritten RetractReason { RecordedByMistake OtherPerson PersonCorrectedIt Replaced }
}

words! { @write write_media_type MediaType { Jpeg Png Pdf Tiff } }
words! { @write write_file_item_state FileItemState { Done Missing Waived } }
