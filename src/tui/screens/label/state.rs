//! The list of labels: a line an annotator of an attribute.

use crate::{
    study::labelling::{LabellingProgress, WorkspaceLabels},
    tui::table::{ScreenTable, TableValue},
};
use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct LabelState {
    pub lines: Vec<LabellingProgress>,
    /// How far annotators agree, in sentences, by attribute.
    pub agreed: BTreeMap<String, Vec<String>>,
    pub cursor: usize,
}

impl LabelState {
    pub(super) fn rebuild(&mut self, labels: &WorkspaceLabels) {
        self.lines.clone_from(&labels.progress);
        let sentences = |(attribute, of): (&String, &Vec<crate::study::labelling::Agreement>)| {
            (attribute.clone(), of.iter().map(crate::study::labelling::Agreement::sentence).collect())
        };
        self.agreed = labels.agreements.iter().map(sentences).collect();
        self.cursor = self.cursor.min(self.lines.len().saturating_sub(1));
    }

    /// How far the annotators of the attribute under the cursor agree.
    pub(super) fn sentences(&self) -> &[String] {
        let of = self.lines.get(self.cursor).and_then(|line| self.agreed.get(&line.attribute));
        of.map_or(&[], Vec::as_slice)
    }
}

pub(super) fn table(state: &LabelState) -> ScreenTable {
    let row = |line: &LabellingProgress| {
        vec![
            TableValue::from(line.attribute.as_str()),
            TableValue::from(line.annotator.as_str()),
            TableValue::Count(line.labels()),
            TableValue::from(line.by_class()),
            TableValue::Count(line.not_obvious),
            TableValue::Count(line.skipped),
        ]
    };
    ScreenTable {
        title: "labels given here".to_owned(),
        heads: vec!["attribute", "annotator", "labels", "by class", "not obvious", "skipped"],
        rows: state.lines.iter().map(row).collect(),
    }
}
