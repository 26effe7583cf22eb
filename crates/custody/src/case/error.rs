//! Why not.

use spean_eventsourcing::{Fault, Refusal};

use super::certificate::ChainError;

/// Why something that was asked, or said by another office, is not done. One variant for each reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Whoever asks works for another office.
    #[error("this is another office's view of the case")]
    NotForThisOffice,
    /// A timer or a machine asked for what only a person may decide.
    #[error("a member of staff must decide this, not a timer")]
    NeedsStaff,
    /// This office has never heard of the case.
    #[error("this office knows no such case")]
    NoSuchCase,
    /// What is said is about another case.
    #[error("this is about another case")]
    WrongCase,
    /// The case began at another office.
    #[error("the case was opened by another office")]
    OpenedElsewhere,
    /// Only who holds the case may offer it.
    #[error("only the office that holds the case may offer it")]
    NotTheHolder,
    /// This office holds the case already.
    #[error("this office already holds the case")]
    AlreadyHeld,
    /// An office asked itself.
    #[error("an office cannot make an offer to itself")]
    OfferToOneself,
    /// The language of a preview is not a code.
    #[error("the language must be a code of two or three small letters")]
    LanguageNotACode,
    /// Another offer has this id.
    #[error("another offer already has this id")]
    OfferIdTaken,
    /// A second transfer of the same case.
    #[error("a transfer of this case is already waiting for an answer")]
    TransferAlreadyOpen,
    /// The same question to the same office.
    #[error("this office was already asked for the same help")]
    AlreadyAskedThere,
    /// An offer is to replace one that is still open.
    #[error("the offer to be replaced is still open; withdraw it first")]
    ReplacedOfferStillOpen,
    /// There is no such offer here.
    #[error("this office knows no such offer")]
    NoSuchOffer,
    /// The offer ended before.
    #[error("the offer has already ended")]
    OfferEnded,
    /// The case has moved.
    #[error("the offer was already accepted and the case has moved; ask the new holder to give it back")]
    AlreadyAccepted,
    /// The answer was no.
    #[error("the offer was already declined")]
    AlreadyDeclined,
    /// The offer was taken back.
    #[error("the offer was withdrawn")]
    OfferWithdrawn,
    /// The authority moved the case.
    #[error("the offer is void: the authority has given the case to another office")]
    OfferVoid,
    /// Nobody has agreed on the service yet.
    #[error("the holder has not confirmed this service yet")]
    NotAgreedYet,
    /// A transfer has no outcome.
    #[error("only a service can be concluded; a transfer ends with the case moving")]
    NotAService,
    /// Somebody answers an offer that was made to another office.
    #[error("only the office that the offer was made to may answer it")]
    NotTheAddressee,
    /// Somebody speaks about an offer that another office made.
    #[error("only the office that made the offer may say this")]
    NotTheSender,
    /// An answer that does not belong to this term.
    #[error("the answer belongs to another term of the case")]
    WrongTerm,
    /// The opposite was said before.
    #[error("this contradicts what the same office said before")]
    Contradiction,
    /// A case is thrust upon an office.
    #[error("the case was given to this office although it had not accepted")]
    NotAccepted,
    /// A certificate does not belong to what is said.
    #[error("the certificate does not belong to this offer")]
    WrongCertificate,
    /// Two certificates for the same place.
    #[error("two different certificates claim the same place in the history of the case")]
    Fork,
    /// A chain of certificates does not hold.
    #[error("the chain of certificates does not hold")]
    BadChain(#[from] ChainError),
    /// Only the authority may do that.
    #[error("only the authority may override")]
    NotTheAuthority,
    /// An override that would change nothing.
    #[error("this office is on record as the holder already")]
    HolderUnchanged,
    /// There is no such proposal.
    #[error("there is no such proposal of an override, or a newer one has replaced it")]
    NoSuchProposal,
    /// The office is not the one that should take over.
    #[error("another office is meant to take over")]
    NotTheNewHolder,
    /// The office is not the cosigner.
    #[error("another office is to sign as well")]
    NotTheCosigner,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchCase | Self::NoSuchOffer | Self::NoSuchProposal | Self::NotForThisOffice => Fault::NotThere,
            Self::NeedsStaff
            | Self::NotTheHolder
            | Self::NotTheAddressee
            | Self::NotTheSender
            | Self::NotTheAuthority
            | Self::NotTheNewHolder
            | Self::NotTheCosigner => Fault::NotTheirs,
            Self::OfferToOneself => Fault::Field("to"),
            Self::LanguageNotACode => Fault::Field("terms.preview.language"),
            _ => Fault::ForbiddenNow,
        }
    }
}
