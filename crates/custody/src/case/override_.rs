//! Over the holder's head: the authority proposes, the new holder agrees, a second body signs, the authority issues.

use spean_vocabulary::{CaseId, LegalBasis};

use super::certificate::{Certificate, CertificateSignature, SignedCertificate};
use super::command::Situation;
use super::error::Error;
use super::event::Event;
use super::state::CaseCustody;
use crate::{Digest, Party};

impl CaseCustody {
    pub(super) fn propose_override(
        &self,
        new_holder: Party,
        basis: LegalBasis,
        chain: Vec<SignedCertificate>,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        if !situation.me.is_same_office(&situation.authority) {
            return Err(Error::NotTheAuthority);
        }
        if let Some(newest) = chain.last() {
            self.compare(newest.certificate.case, &chain, situation)?;
        }
        // Whichever chain reaches further is the one to continue.
        let reaches = |chain: &[SignedCertificate]| chain.last().map(|signed| signed.certificate.position());
        let own = self.chain();
        let chain = if reaches(&chain) > reaches(&own) { chain } else { own };
        let current = &chain.last().ok_or(Error::NoSuchCase)?.certificate;
        if self.case.is_some_and(|known| known != current.case) {
            return Err(Error::WrongCase);
        }
        if current.holder.is_same_office(&new_holder) {
            return Err(Error::HolderUnchanged);
        }
        let case = current.case;
        let certificate = Certificate {
            case,
            term: current.term.saturating_add(1),
            epoch: current.epoch.saturating_add(1),
            holder: new_holder,
            issued_by: situation.me.clone(),
            offer: None,
            previous: Some(current.digest()),
            issued_at: situation.context.now,
            basis: Some(basis),
        };
        let pending = self.proposal.as_ref().map(|proposal| &proposal.certificate);
        let same = |pending: &Certificate| {
            (&pending.holder, pending.previous, pending.basis)
                == (&certificate.holder, certificate.previous, certificate.basis)
        };
        if pending.is_some_and(same) {
            return Ok(vec![]);
        }
        Ok(vec![Event::OverrideProposed { case, cosigner: situation.cosigner.clone(), certificate, chain }])
    }

    pub(super) fn receive_proposal(
        &self,
        case: CaseId,
        from: &Party,
        certificate: Certificate,
        chain: Vec<SignedCertificate>,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        if !from.is_same_office(&situation.authority) || !certificate.issued_by.is_same_office(from) {
            return Err(Error::NotTheAuthority);
        }
        let (current, _) = self.compare(case, &chain, situation)?;
        let follows = certificate.case == case
            && certificate.previous == Some(current.digest())
            && Some(certificate.term) == current.term.checked_add(1)
            && Some(certificate.epoch) == current.epoch.checked_add(1)
            && certificate.offer.is_none();
        if !follows {
            return Err(Error::WrongCertificate);
        }
        let asked =
            certificate.holder.is_same_office(&situation.me) || situation.cosigner.is_same_office(&situation.me);
        if !asked {
            return Err(Error::NotTheAddressee);
        }
        let known = self.request.as_ref().is_some_and(|request| request.certificate == certificate);
        if known || certificate.term <= self.position().term {
            return Ok(vec![]);
        }
        let at = situation.me.clone();
        let received = Event::OverrideProposalReceived { case, at, from: from.clone(), certificate, chain };
        Ok(self.with_consequences(vec![received], Some(from), situation))
    }

    pub(super) fn consent_to_override(&self, proposal: Digest, situation: &Situation) -> Result<Vec<Event>, Error> {
        let case = self.case.ok_or(Error::NoSuchCase)?;
        let request = self.request.as_ref().filter(|request| request.digest() == proposal);
        let request = request.ok_or(Error::NoSuchProposal)?;
        if !request.certificate.holder.is_same_office(&situation.me) {
            return Err(Error::NotTheNewHolder);
        }
        if request.consented {
            return Ok(vec![]);
        }
        Ok(vec![Event::OverrideConsentGiven { case, to: request.from.clone(), proposal }])
    }

    pub(super) fn cosign_override(&self, proposal: Digest, situation: &Situation) -> Result<Vec<Event>, Error> {
        let case = self.case.ok_or(Error::NoSuchCase)?;
        let request = self.request.as_ref().filter(|request| request.digest() == proposal);
        let request = request.ok_or(Error::NoSuchProposal)?;
        if !situation.cosigner.is_same_office(&situation.me) {
            return Err(Error::NotTheCosigner);
        }
        if request.cosigned {
            return Ok(vec![]);
        }
        let signature = situation.sign(&request.certificate);
        Ok(vec![Event::OverrideCosignatureGiven { case, to: request.from.clone(), proposal, signature }])
    }

    pub(super) fn receive_consent(
        &self,
        from: &Party,
        proposal: Digest,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        let case = self.case.ok_or(Error::NoSuchCase)?;
        // An answer to a proposal that was replaced or carried out comes too late to matter.
        let Some(pending) = self.proposal.as_ref().filter(|pending| pending.digest() == proposal) else {
            return Ok(vec![]);
        };
        if !pending.certificate.holder.is_same_office(from) {
            return Err(Error::NotTheNewHolder);
        }
        if pending.consented {
            return Ok(vec![]);
        }
        Ok(self.issue_when_complete(Event::OverrideConsentReceived { case, proposal }, situation))
    }

    pub(super) fn receive_cosignature(
        &self,
        from: &Party,
        proposal: Digest,
        signature: CertificateSignature,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        let case = self.case.ok_or(Error::NoSuchCase)?;
        let Some(pending) = self.proposal.as_ref().filter(|pending| pending.digest() == proposal) else {
            return Ok(vec![]);
        };
        if !pending.cosigner.is_same_office(from) || !signature.by.is_same_office(from) {
            return Err(Error::NotTheCosigner);
        }
        if pending.cosignature.is_some() {
            return Ok(vec![]);
        }
        Ok(self.issue_when_complete(Event::OverrideCosignatureReceived { case, proposal, signature }, situation))
    }

    pub(super) fn receive_override(
        &self,
        case: CaseId,
        from: &Party,
        chain: Vec<SignedCertificate>,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        let (newest, news) = self.compare(case, &chain, situation)?;
        if newest.term == 0 {
            return Err(Error::WrongCertificate);
        }
        Ok(if news { self.learned(case, chain, Some(from), situation) } else { vec![] })
    }

    fn issue_when_complete(&self, event: Event, situation: &Situation) -> Vec<Event> {
        let after = self.clone().after(&event);
        let complete = after.proposal.as_ref().filter(|proposal| proposal.consented);
        let Some((proposal, cosignature)) =
            complete.and_then(|proposal| Some((proposal, proposal.cosignature.clone()?)))
        else {
            return vec![event];
        };
        let certificate = proposal.certificate.clone();
        let case = certificate.case;
        let signatures = vec![situation.sign(&certificate), cosignature];
        let mut chain = proposal.chain.clone();
        let mut to = vec![proposal.cosigner.clone()];
        chain.push(SignedCertificate { certificate, signatures });
        // Everybody who ever held the case as far as the authority knows, on whatever branch; they tell the others.
        let known = self.certificates.values().chain(&chain).map(|signed| &signed.certificate.holder);
        for holder in known {
            if !to.iter().any(|party| party.is_same_office(holder)) {
                to.push(holder.clone());
            }
        }
        let issued = Event::OverrideIssued { case, at: situation.me.clone(), to, chain };
        self.with_consequences(vec![event, issued], None, situation)
    }
}
