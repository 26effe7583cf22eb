//! The fixed lists of the register. Each is written in snake case wherever it is stored.

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
    /// Who consented for a child.
    Guardian {
        /// The mother.
        Mother,
        /// The father.
        Father,
        /// A grandparent.
        Grandparent,
        /// A brother or sister who is of age.
        Sibling,
        /// Another relative who cares for the child.
        OtherRelative,
        /// A guardian whom a court has named.
        Legal,
        /// An office of the state that has custody of the child.
        State,
    }

    /// The function in which somebody took part in a decision. Never a name.
    Function {
        /// Social worker.
        SocialWorker,
        /// Supervisor of social workers.
        Supervisor,
        /// Officer for the protection of children.
        ChildProtectionOfficer,
        /// Nurse, midwife or physician.
        HealthWorker,
        /// Psychologist or counsellor.
        Psychologist,
        /// Lawyer or legal adviser.
        LegalAdviser,
        /// Police officer.
        PoliceOfficer,
        /// Village chief or another local authority.
        LocalAuthority,
        /// Manager of a shelter.
        ShelterManager,
        /// Judge or officer of a court.
        CourtOfficer,
    }

    /// What was done to the person: the first element of trafficking, in the terms of the Palermo Protocol.
    Act {
        /// Recruited.
        Recruitment,
        /// Transported.
        Transportation,
        /// Handed from one to another.
        Transfer,
        /// Harboured.
        Harbouring,
        /// Received.
        Receipt,
    }

    /// By what it was brought about: the second element. For a child it need not be shown.
    Means {
        /// Threats.
        Threat,
        /// Physical force.
        Force,
        /// Other coercion.
        Coercion,
        /// Abduction.
        Abduction,
        /// Fraud.
        Fraud,
        /// A false promise.
        Deception,
        /// Power over the person was abused.
        AbuseOfPower,
        /// A position of vulnerability was abused.
        AbuseOfVulnerability,
        /// Somebody who has control over the person was paid.
        PaymentToController,
        /// A debt was made or used.
        DebtBondage,
        /// Locked in or watched.
        Confinement,
        /// Papers were taken away.
        PapersTaken,
        /// Wages were held back.
        WagesWithheld,
        /// Drugs or alcohol.
        Substances,
    }

    /// For what: the third element.
    ExploitationPurpose {
        /// Forced labour.
        ForcedLabour,
        /// Work in a household without freedom.
        DomesticServitude,
        /// Sexual exploitation.
        SexualExploitation,
        /// Forced marriage.
        ForcedMarriage,
        /// Begging or selling in the street for others.
        ForcedBegging,
        /// Crimes committed for others, such as fraud over the telephone.
        ForcedCriminality,
        /// Removal of organs.
        OrganRemoval,
        /// Use in an armed conflict.
        ArmedConflict,
        /// Adoption against the law.
        IllegalAdoption,
        /// Bearing a child for others.
        Surrogacy,
        /// Slavery and what is like it.
        Slavery,
    }

    /// Any kind of abuse, whether or not it is a part of trafficking.
    Abuse {
        /// Physical abuse.
        Physical,
        /// Sexual abuse, rape included.
        Sexual,
        /// Psychological abuse.
        Psychological,
        /// Neglect.
        Neglect,
        /// Violence in the family.
        DomesticViolence,
        /// Left alone by those who owe care.
        Abandonment,
        /// Work that a child must not do.
        ChildLabour,
        /// Exploited at work.
        LabourExploitation,
    }

    /// What somebody concluded from the facts. A conclusion, not a fact; no help depends on it.
    Finding {
        /// The person was trafficked.
        Trafficked,
        /// Exploited, but not trafficked.
        Exploited,
        /// Abused, but neither exploited nor trafficked.
        Abused,
        /// Smuggled across a border.
        Smuggled,
        /// Nothing of the kind.
        NoneOfThese,
        /// It cannot be said.
        Undetermined,
    }

    /// What kind of body reached a conclusion.
    Body {
        /// Police.
        Police,
        /// Prosecutor.
        Prosecutor,
        /// Court.
        Court,
        /// Social affairs.
        SocialAffairs,
        /// A non-governmental organisation.
        NonGovernmental,
        /// An international organisation.
        International,
        /// An authority of another country.
        Abroad,
    }

    /// What endangers the person.
    RiskKind {
        /// May harm themselves.
        SelfHarm,
        /// Violence at home.
        ViolenceAtHome,
        /// Those who exploited the person are near, or know where the person is.
        ExploiterNear,
        /// The family is threatened.
        ThreatToFamily,
        /// May run away.
        RunningAway,
        /// May be exploited again.
        ExploitedAgain,
        /// Needs a physician soon.
        Medical,
        /// Expects a child.
        Pregnancy,
        /// Dependence on drugs or alcohol.
        Substances,
        /// Has no safe place to live.
        NoSafePlace,
    }

    /// How grave a danger is; the gravest is the greatest.
    Severity {
        /// To be watched.
        Watch,
        /// Serious.
        Serious,
        /// Somebody must act now.
        Acute,
    }

    /// What an attached file holds.
    AttachmentKind {
        /// A paper that says who the person is.
        IdentityPaper,
        /// A paper for a journey, such as a border pass.
        TravelPaper,
        /// A photograph of the person.
        Photograph,
        /// A signed consent.
        ConsentForm,
        /// A medical report.
        MedicalReport,
        /// A paper of a court.
        CourtPaper,
        /// A report of the police.
        PoliceReport,
        /// Any other paper.
        Other,
    }

    /// What form an attached file has.
    MediaType {
        /// A JPEG image.
        Jpeg,
        /// A PNG image.
        Png,
        /// A PDF document.
        Pdf,
        /// A TIFF image.
        Tiff,
    }

    /// What a complete file holds.
    FileItem {
        /// A name.
        Name,
        /// Birth, at least the year.
        Birth,
        /// Sex.
        Sex,
        /// The home place.
        HomePlace,
        /// A consent that stands.
        Consent,
        /// What the person needs.
        Needs,
        /// What was done to the person.
        Facts,
        /// What endangers the person.
        Risk,
        /// A copy of a paper that says who the person is.
        IdentityPaper,
        /// A photograph.
        Photograph,
    }

    /// Why something of a file will not be had.
    WaiveReason {
        /// There is no such thing in this case.
        NotApplicable,
        /// The person does not want it.
        PersonDeclined,
        /// It cannot be had.
        NotObtainable,
        /// It was looked for, and nothing was found.
        NothingFound,
    }

    /// How something of a file stands.
    FileItemState {
        /// It is there.
        Done,
        /// It is missing.
        Missing,
        /// It will not be had, and somebody said why.
        Waived,
    }

    /// Why something on record is taken back.
    RetractReason {
        /// It was recorded by mistake.
        RecordedByMistake,
        /// It belongs to another person.
        OtherPerson,
        /// The person says otherwise now.
        PersonCorrectedIt,
        /// Something better takes its place.
        Replaced,
    }
}
