//! Cases that move on in numbers: down to an office that has somebody again, and away from one that has nobody left.

use spean_chassis::words::{instant, read_need, read_urgency, stored, write_need, write_urgency};
use spean_chassis::{Call, Page, field, status};
use spean_contracts::referral::v1 as wire;
use spean_vocabulary::{OfferKind, OfficeId, Timestamp};
use tonic::Status;

use super::asked::Asked;
use super::bulk::{Consent, Item, MOST};
use super::{Grpc, read, write};
use crate::moves::{self, Wanted};
use crate::routing::{Route, Routing};
use crate::subject;

impl Grpc {
    pub(super) async fn list_cases_to_move_down(
        &self,
        call: &Call,
        request: wire::ListCasesToMoveDownRequest,
    ) -> Result<wire::ListCasesToMoveDownResponse, Status> {
        let meant_for: Option<OfficeId> = field::parse_optional("office_id", &request.office_id)?;
        let page = Page::read(request.page.as_ref())?;
        let (directory, statuses) = (self.desk.directory(), self.statuses().await?);
        let routing = Routing { directory: &directory, statuses: &statuses, today: call.today() };
        let wanted = Wanted { meant_for: meant_for.as_ref(), case: None };
        let found = moves::to_move_down(call.office()?, wanted, &routing, page.limit(), page.offset, &self.store).await;
        let (found, page) = page.cut(found.map_err(status::query)?);
        let mut cases = Vec::with_capacity(found.len());
        for held in found {
            let since = Timestamp::from_micros(held.since);
            cases.push(wire::CaseToMoveDown {
                case_number: self.number(&held.case_id).await?,
                case_id: held.case_id,
                meant_for_office_id: held.meant_for,
                redirected_because: stored(&held.because, write::redirection),
                need: stored(&held.need, write_need),
                urgency: stored(&held.urgency, write_urgency),
                since: Some(instant(since)),
                age_hours: call.now.hours_since(since).max(0),
                transfer_open: held.transfer_open,
            });
        }
        Ok(wire::ListCasesToMoveDownResponse { cases, page })
    }

    pub(super) async fn move_down(
        &self,
        call: &Call,
        request: wire::MoveDownRequest,
    ) -> Result<wire::MoveDownResponse, Status> {
        let to: OfficeId = field::parse("office_id", &request.office_id)?;
        let all = read::all_or_none(request.mode)?;
        let asked = self.each_asked(call, &to, &request.cases)?;
        self.begin(call).await?;
        let (directory, statuses) = (self.desk.directory(), self.statuses().await?);
        let routing = Routing { directory: &directory, statuses: &statuses, today: call.today() };
        if !routing.answers(&to) {
            return Err(status::forbidden("NOBODY_THERE_YET", "nobody can answer at this office"));
        }
        let office = call.office()?;
        let mut items = Vec::with_capacity(asked.len());
        for asked in &asked {
            let wanted = Wanted { meant_for: Some(&to), case: Some(asked.case) };
            let found =
                moves::to_move_down(office, wanted, &routing, 1, 0, &self.store).await.map_err(status::query)?;
            let item = async {
                let route = Route { to: to.clone(), because: None };
                let state = self.offering(call, office, asked, route, Consent::ForTheDossierOnly).await?;
                if found.is_empty() && !state.is_done() {
                    let message = "this case is not held here in the place of that office; offer it as any other";
                    return Err(status::forbidden("NOT_MEANT_FOR_THAT_OFFICE", message));
                }
                Ok(state)
            };
            items.push(Item::of(asked, item.await));
        }
        let (all_done, verdicts) = self.decide_many(call, items, all).await?;
        Ok(wire::MoveDownResponse { all_done, verdicts })
    }

    pub(super) async fn list_cases_to_hand_over(
        &self,
        call: &Call,
        request: wire::ListCasesToHandOverRequest,
    ) -> Result<wire::ListCasesToHandOverResponse, Status> {
        let only: Option<OfficeId> = field::parse_optional("office_id", &request.office_id)?;
        let page = Page::read(request.page.as_ref())?;
        let (directory, statuses) = (self.desk.directory(), self.statuses().await?);
        let routing = Routing { directory: &directory, statuses: &statuses, today: call.today() };
        let mut winding_up = moves::to_wind_up(&self.desk, &routing, call.office()?);
        winding_up.retain(|(office, ..)| only.as_ref().is_none_or(|only| only == office));
        let offices: Vec<_> = winding_up.iter().map(|(office, ..)| office.clone()).collect();
        let found = moves::held_by(&offices, page.limit(), page.offset, &self.store).await;
        let (found, page) = page.cut(found.map_err(status::query)?);
        let mut cases = Vec::with_capacity(found.len());
        for held in found {
            let since = Timestamp::from_micros(held.since);
            let way = winding_up.iter().find(|(office, ..)| office.as_str() == held.office);
            cases.push(wire::CaseToHandOver {
                case_number: self.number(&held.case_id).await?,
                case_id: held.case_id,
                successor_office_id: way.map(|(_, to, _)| to.to_string()).unwrap_or_default(),
                because: way
                    .map_or(wire::Redirection::Unspecified, |(.., because)| write::redirection(*because))
                    .into(),
                holder_office_id: held.office,
                since: Some(instant(since)),
                age_hours: call.now.hours_since(since).max(0),
                transfer_open: held.transfer_open,
            });
        }
        Ok(wire::ListCasesToHandOverResponse { cases, page })
    }

    pub(super) async fn hand_over_cases(
        &self,
        call: &Call,
        request: wire::HandOverCasesRequest,
    ) -> Result<wire::HandOverCasesResponse, Status> {
        let office: OfficeId = field::parse("office_id", &request.office_id)?;
        let all = read::all_or_none(request.mode)?;
        let (directory, statuses) = (self.desk.directory(), self.statuses().await?);
        let routing = Routing { directory: &directory, statuses: &statuses, today: call.today() };
        let way =
            moves::to_wind_up(&self.desk, &routing, call.office()?).into_iter().find(|(left, ..)| *left == office);
        let asked = self.each_asked(call, way.as_ref().map_or(&office, |(_, to, _)| to), &request.cases)?;
        let (_, to, _) = way.ok_or_else(|| {
            let message = "no such office of this node is left by its people, or its cases are not yours to hand over";
            status::forbidden("OFFICE_NOT_LEFT", message)
        })?;
        self.begin(call).await?;
        let mut items = Vec::with_capacity(asked.len());
        for asked in &asked {
            // The case does not go elsewhere than was meant: it is the office behind it that has changed.
            let route = Route { to: to.clone(), because: None };
            let offering = self.offering(call, &office, asked, route, Consent::ForTheDossierOnly).await;
            items.push(Item::of(asked, offering));
        }
        let (all_done, verdicts) = self.decide_many(call, items, all).await?;
        Ok(wire::HandOverCasesResponse { all_done, verdicts })
    }

    fn each_asked(&self, call: &Call, to: &OfficeId, cases: &[wire::CaseToOffer]) -> Result<Vec<Asked>, Status> {
        field::at_most("cases", cases, MOST)?;
        let read = |(index, asked): (usize, &wire::CaseToOffer)| {
            let at = |field: &str| format!("cases[{index}].{field}");
            let urgency = read_urgency(&at("urgency"), asked.urgency)?;
            Ok(Asked {
                offer: field::parse(&at("offer_id"), &asked.offer_id)?,
                case: field::parse(&at("case_id"), &asked.case_id)?,
                to: to.clone(),
                kind: OfferKind::Transfer,
                need: read_need(&at("need"), asked.need)?,
                urgency,
                answer_due_at: self.answer_due(call, urgency),
                note: String::new(),
                need_id: None,
            })
        };
        cases.iter().enumerate().map(read).collect()
    }

    async fn number(&self, case: &str) -> Result<String, Status> {
        let Ok(case) = case.parse() else { return Ok(String::new()) };
        let subject = subject::find(case, self.store.reader()).await.map_err(status::query)?;
        Ok(subject.and_then(|subject| subject.case_number).map(|number| number.to_string()).unwrap_or_default())
    }
}
