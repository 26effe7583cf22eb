//! What a policy may say: every figure within the bounds of its unit, and none against another.

use crate::Policy;

/// Why a policy cannot be used: the field, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct PolicyError {
    /// The path of the field, such as `visits.every_months`; `policy` when the file as a whole is no policy.
    pub field: String,
    /// What is wrong there.
    pub reason: String,
}

/// Least and most, by the last word of a field's name: its unit.
const UNITS: [(&str, i64, i64); 3] = [
    // A year.
    ("hours", 1, 366 * 24),
    // Ten years.
    ("days", 1, 3_660),
    ("months", 1, 120),
];

/// For what has no unit: numbers of offices.
const OFFICES: (i64, i64) = (0, 100);

impl PolicyError {
    pub(crate) fn malformed(error: &toml::de::Error) -> Self {
        Self { field: "policy".to_owned(), reason: error.to_string().trim_end().to_owned() }
    }
}

impl Policy {
    /// Refuses what nobody can work by.
    ///
    /// # Errors
    /// The first field that cannot be, and why.
    pub fn check(&self) -> Result<(), PolicyError> {
        for (field, figure) in self.figures() {
            let unit = field.rsplit('_').next().unwrap_or(&field);
            let unit = unit.rsplit('.').next().unwrap_or(unit);
            let bounds = UNITS.iter().find(|(name, ..)| *name == unit).map(|(_, least, most)| (*least, *most));
            let (least, most) = bounds.unwrap_or(OFFICES);
            if !(least..=most).contains(&figure) {
                return refuse(field, format!("expected a number from {least} to {most}"));
            }
        }
        let answer = &self.answer;
        let by_urgency = [("emergency", answer.emergency), ("urgent", answer.urgent), ("routine", answer.routine)];
        for (urgency, deadlines) in by_urgency {
            if deadlines.escalate_after_hours <= deadlines.tell_office_above_after_hours {
                let field = format!("answer.{urgency}.escalate_after_hours");
                return refuse(field, "the office above is told first, and asked later".to_owned());
            }
        }
        for ((_, sooner), (urgency, later)) in by_urgency.iter().zip(&by_urgency[1..]) {
            if later.answer_within_hours < sooner.answer_within_hours {
                let field = format!("answer.{urgency}.answer_within_hours");
                return refuse(field, "what is less urgent may not be due sooner".to_owned());
            }
        }
        if self.visits.every_months > self.visits.months {
            return refuse("visits.every_months".to_owned(), "there would be no visit at all".to_owned());
        }
        let shelter = &self.shelter;
        if shelter.bed_released_after_absent_days < shelter.tracing_after_absent_days {
            let field = "shelter.bed_released_after_absent_days".to_owned();
            return refuse(field, "somebody is looked for before the bed is given away".to_owned());
        }
        Ok(())
    }
}

fn refuse(field: String, reason: String) -> Result<(), PolicyError> {
    Err(PolicyError { field, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field_refused(text: &str) -> String {
        Policy::from_toml(text).unwrap_err().field
    }

    #[test]
    fn the_standard_can_be_worked_by_and_an_empty_file_is_the_standard() {
        assert_eq!(Policy::from_toml(""), Ok(Policy::standard()));
        assert_eq!(Policy::standard().check(), Ok(()));
    }

    #[test]
    fn a_file_says_only_what_differs() {
        let policy = Policy::from_toml("[answer.urgent]\nanswer_within_hours = 24\n[visits]\nmonths = 18").unwrap();
        let standard = Policy::standard();
        assert_eq!((policy.answer.urgent.answer_within_hours, policy.visits.months), (24, 18));
        assert_eq!(policy.answer.urgent.escalate_after_hours, standard.answer.urgent.escalate_after_hours);
        assert_eq!((policy.visits.every_months, policy.meeting), (1, standard.meeting));
    }

    #[test]
    fn every_figure_has_bounds_and_is_named_when_it_leaves_them() {
        for (field, _) in Policy::standard().figures() {
            for figure in [-1, 100_000] {
                let (table, name) = field.rsplit_once('.').unwrap();
                assert_eq!(field_refused(&format!("[{table}]\n{name} = {figure}")), field);
            }
        }
    }

    #[test]
    fn figures_that_contradict_each_other_are_refused_by_name() {
        for (text, field) in [
            ("[answer.urgent]\nescalate_after_hours = 24", "answer.urgent.escalate_after_hours"),
            ("[answer.urgent]\nanswer_within_hours = 2", "answer.urgent.answer_within_hours"),
            ("[visits]\nmonths = 2\nevery_months = 3", "visits.every_months"),
            ("[shelter]\nbed_released_after_absent_days = 2", "shelter.bed_released_after_absent_days"),
        ] {
            assert_eq!(field_refused(text), field);
        }
    }

    #[test]
    fn a_misspelt_name_is_refused_and_named() {
        for text in ["[visit]\nmonths = 1", "[visits]\nmonth = 1", "[answer.urgent]\nanswer_hours = 1"] {
            let error = Policy::from_toml(text).unwrap_err();
            assert!(error.reason.contains("unknown field"), "{error}");
        }
    }
}
