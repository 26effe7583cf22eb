//! Cases of one person: linked, judged, merged, seen again.

use spean_chassis::{Call, field, standing, status};
use spean_contracts::cases::v1 as wire;
use spean_identity::Standing;
use spean_vocabulary::CaseId;
use tonic::Status;

use super::Grpc;
use crate::case::{Case, Command};

impl Grpc {
    pub(super) async fn link_cases(
        &self,
        call: &Call,
        request: wire::LinkCasesRequest,
    ) -> Result<wire::LinkCasesResponse, Status> {
        let on = field::day_so_far("linked_on", &request.linked_on, call.today())?;
        let (this, other) = pair(&request.case_id, &request.other_case_id)?;
        let command = |this, other| Command::Link { this, other, on: Some(on) };
        self.say_of_both(call, this, other, command).await?;
        Ok(wire::LinkCasesResponse {})
    }

    pub(super) async fn unlink_cases(
        &self,
        call: &Call,
        request: wire::UnlinkCasesRequest,
    ) -> Result<wire::UnlinkCasesResponse, Status> {
        let on = field::day_so_far("unlinked_on", &request.unlinked_on, call.today())?;
        let (this, other) = pair(&request.case_id, &request.other_case_id)?;
        self.say_of_both(call, this, other, |_, other| Command::Unlink { other, on }).await?;
        Ok(wire::UnlinkCasesResponse {})
    }

    pub(super) async fn rule_out_duplicate(
        &self,
        call: &Call,
        request: wire::RuleOutDuplicateRequest,
    ) -> Result<wire::RuleOutDuplicateResponse, Status> {
        let on = field::day_so_far("ruled_out_on", &request.ruled_out_on, call.today())?;
        let (this, other) = pair(&request.case_id, &request.other_case_id)?;
        self.say_of_both(call, this, other, |this, other| Command::RuleOut { this, other, on }).await?;
        Ok(wire::RuleOutDuplicateResponse {})
    }

    pub(super) async fn merge_cases(
        &self,
        call: &Call,
        request: wire::MergeCasesRequest,
    ) -> Result<wire::MergeCasesResponse, Status> {
        let this: CaseId = field::parse("case_id", &request.case_id)?;
        let into: CaseId = field::parse("into_case_id", &request.into_case_id)?;
        let on = field::day_so_far("merged_on", &request.merged_on, call.today())?;
        let known = self.permit(call, this).await?;
        // A case that is none of the office's business does not exist for it.
        let other = standing::of(into, call.office()?, self.store.reader()).await.map_err(status::query)?;
        let other = other.ok_or_else(|| status::not_found("case"))?;
        let both_held = [known.map(|known| known.standing), Some(other.standing)] == [Some(Standing::Holds); 2];
        let merge = Command::Merge { this, into, on, both_held };
        self.decide_both(call, (this, merge), (into, Command::Absorb { other: this, on })).await?;
        Ok(wire::MergeCasesResponse {})
    }

    pub(super) async fn unmerge_cases(
        &self,
        call: &Call,
        request: wire::UnmergeCasesRequest,
    ) -> Result<wire::UnmergeCasesResponse, Status> {
        let this: CaseId = field::parse("case_id", &request.case_id)?;
        let on = field::day_so_far("unmerged_on", &request.unmerged_on, call.today())?;
        self.permit(call, this).await?;
        let unmerge = (this, Command::Unmerge { on });
        match self.load(this).await?.merged_into() {
            Some(into) => self.decide_both(call, unmerge, (into, Command::Release { other: this, on })).await?,
            None => self.handle(this, Command::Unmerge { on }, call).await.map(drop)?,
        }
        Ok(wire::UnmergeCasesResponse {})
    }

    pub(super) async fn acknowledge_seen_again(
        &self,
        call: &Call,
        request: wire::AcknowledgeSeenAgainRequest,
    ) -> Result<wire::AcknowledgeSeenAgainResponse, Status> {
        let (this, other) = pair(&request.case_id, &request.other_case_id)?;
        self.permit(call, this).await?;
        self.handle(this, Command::AcknowledgeSeenAgain { other }, call).await?;
        Ok(wire::AcknowledgeSeenAgainResponse {})
    }

    /// Both files say it, or neither.
    async fn say_of_both(
        &self,
        call: &Call,
        this: CaseId,
        other: CaseId,
        command: impl Fn(CaseId, CaseId) -> Command,
    ) -> Result<(), Status> {
        self.permit(call, this).await?;
        if !self.load(other).await?.exists() {
            return Err(status::not_found("case"));
        }
        self.decide_both(call, (this, command(this, other)), (other, command(other, this))).await
    }

    async fn decide_both(&self, call: &Call, one: (CaseId, Command), two: (CaseId, Command)) -> Result<(), Status> {
        let (context, metadata) = (call.context()?, call.metadata()?);
        let cases = [one.0, two.0];
        let decided = self.store.transact(move |transaction| {
            Box::pin(async move {
                for (case, command) in [one, two] {
                    let id = case.to_string();
                    transaction.decide::<Case>(&id, command, &context, &metadata).await.map_err(status::handled)?;
                }
                Ok::<_, Status>(())
            })
        });
        decided.await.map_err(status::transacted)?;
        for case in cases {
            self.put_down(case).await;
        }
        Ok(())
    }
}

fn pair(this: &str, other: &str) -> Result<(CaseId, CaseId), Status> {
    Ok((field::parse("case_id", this)?, field::parse("other_case_id", other)?))
}
