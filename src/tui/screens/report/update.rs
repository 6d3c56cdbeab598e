//! Report: what each command does.

use super::state::ReportState;
use crate::tui::{command::ScreenCommand, event::Effect, movement, shared::Shared};

pub(crate) fn update(report: &mut ReportState, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
    if let Some(by) = movement::rows(command, shared.page) {
        report.cursor = movement::moved(report.cursor, by, report.lines.len());
        return vec![];
    }
    match command {
        ScreenCommand::Enter => {
            report.fold();
            report.rebuild(&shared.seen);
        }
        ScreenCommand::Pin => {
            // A line of the outline that is a pinned figure.
            if let Some(line) = report.lines.get(report.cursor) {
                shared.unpin(&line.text);
            }
        }
        ScreenCommand::Open => match (shared.matrix_snapshot(), shared.seen.report) {
            (Some(matrix_snapshot), Some(_)) => {
                return vec![Effect::Browse(format!("reports/{}.html", matrix_snapshot.study.name))];
            }
            _ => shared.say("there is no report yet: b builds it", true),
        },
        _ => {}
    }
    vec![]
}

#[cfg(test)]
mod tests {
    use super::{
        super::state::{LineKind, ReportLine},
        *,
    };
    use crate::{
        study::{AuditDifference, LastAudit},
        tui::{
            audited::{Audited, ClaimLine},
            overlays::state::{Confirmation, Overlay},
            screen::Screen,
            testing::{opened, opened_with, pinned},
        },
    };
    use ScreenCommand as C;

    fn claim(id: &str, verdict: &str) -> ClaimLine {
        ClaimLine { id: id.to_owned(), verdict: verdict.to_owned(), stage: "score".to_owned(), ..ClaimLine::default() }
    }

    fn audited(claims: Vec<ClaimLine>) -> (ReportState, Shared) {
        let (mut report, shared) = opened(ReportState::default());
        let differs = claims.iter().filter(|claim| claim.verdict == "differs").count();
        let audit = Audited { verdict: "differs".to_owned(), identical: claims.len() - differs, differs, claims };
        Screen::take_audit(&mut report, &shared, "test", &audit);
        (report, shared)
    }

    fn texts(report: &ReportState) -> Vec<&str> {
        report.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn the_outline_names_what_is_there_and_what_is_missing() {
        let (report, _) = opened(ReportState::default());
        let kind_of = |text: &str| report.lines.iter().find(|line| line.text == text).map(|line| line.kind.clone());
        assert_eq!(kind_of("the matrix"), Some(LineKind::There));
        assert_eq!(kind_of("fairness and bias"), Some(LineKind::Missing), "the study names no groups");
        assert_eq!(kind_of("reports/test.html"), Some(LineKind::Missing), "it is not written yet");
    }

    #[test]
    fn enter_opens_a_branch_of_verdicts_and_closes_it_again() {
        let (mut report, mut shared) = audited(vec![claim("a", "identical"), claim("b", "identical")]);
        update(&mut report, &mut shared, C::Last);
        let closed = report.lines.len();
        assert_eq!(report.lines[report.cursor].text, "identical");
        update(&mut report, &mut shared, C::Enter);
        assert_eq!(texts(&report)[closed..], ["score"]);
        update(&mut report, &mut shared, C::Down);
        update(&mut report, &mut shared, C::Enter);
        assert_eq!(texts(&report)[closed..], ["score", "a", "b"]);
        update(&mut report, &mut shared, C::Enter);
        assert_eq!(texts(&report)[closed..], ["score"]);
    }

    #[test]
    fn after_an_audit_that_found_differences_these_are_open_and_stand_first() {
        let (report, _) = audited(vec![claim("a", "identical"), claim("b", "differs")]);
        let branches: Vec<&ReportLine> = report.lines.iter().filter(|line| matches!(line.kind, LineKind::Branch(..))).collect();
        let texts: Vec<&str> = branches.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["differs", "score", "identical"]);
    }

    #[test]
    fn what_somebody_elses_audit_found_is_opened_here() {
        let difference = |id: &str| AuditDifference {
            id: id.to_owned(),
            stage: "score".to_owned(),
            expected: Some("0.5".to_owned()),
            found: Some("0.6".to_owned()),
            why: "made again".to_owned(),
        };
        let kept =
            LastAudit { at: 9000, differs: 3, differences: vec![difference("a"), difference("b")], ..LastAudit::default() };
        let (mut report, mut shared) = audited(vec![claim("own", "differs")]);
        shared.seen.audit = Some(kept);
        report.rebuild(&shared.seen);
        let line = |text: &str| report.lines.iter().find(|line| line.text == text).map(|line| line.note.as_str());
        assert_eq!(line("differs"), Some("2 of 3; visavis audit --json lists all"));
        assert_eq!(line("own"), None, "the later audit is shown");
        update(&mut report, &mut shared, C::Last);
        update(&mut report, &mut shared, C::Enter);
        let found = report.lines.iter().find(|line| line.text == "a").map(|line| line.note.as_str());
        assert_eq!(found, Some("expected 0.5, found 0.6; made again"));
    }

    #[test]
    fn an_audit_of_another_study_is_not_shown() {
        let (mut report, shared) = opened(ReportState::default());
        let before = report.lines.len();
        let audit = Audited { claims: vec![claim("a", "identical")], ..Audited::default() };
        Screen::take_audit(&mut report, &shared, "another", &audit);
        assert_eq!(report.lines.len(), before);
    }

    #[test]
    fn a_pinned_line_is_taken_off_after_a_question_and_another_line_is_not() {
        let (mut report, mut shared) = opened_with(ReportState::default(), pinned("first seen"));
        update(&mut report, &mut shared, C::Pin);
        assert_eq!(shared.overlay, None, "the heading is no figure");
        report.cursor = report.lines.iter().position(|line| line.note.contains("first seen")).unwrap();
        update(&mut report, &mut shared, C::Pin);
        assert!(matches!(shared.overlay, Some(Overlay::Confirm { then: Confirmation::Unpin(_), .. })));
    }

    #[test]
    fn a_report_that_is_not_written_is_not_opened() {
        let (mut report, mut shared) = opened(ReportState::default());
        assert_eq!(update(&mut report, &mut shared, C::Open), []);
        assert!(shared.toast.unwrap().text.contains("no report yet"));
    }
}
