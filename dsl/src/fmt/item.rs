//! Items, clauses, steps and the lines of tests.

use super::expr::commas;
use super::page::{Blank, INDENT, Page};
use crate::source::Span;
use crate::syntax::ast::{
    AnyTarget, Change, ChangeKind, Clause, ClauseKind, Expected, ExpectedKind, Expr, File, Happening, Item,
    KeyPart, List, ListSource, Name, Rule, Selector, SelectorKind, StagePick, Step, Steps, Table,
    TableSource, Target, Test, Tune, TuneList, Window, WindowKind,
};

impl Page<'_> {
    pub(super) fn file(&mut self, file: &File) {
        let widths = self.head_widths(&file.items);
        for (n, item) in file.items.iter().enumerate() {
            let blank = match n.checked_sub(1).map(|before| &file.items[before]) {
                None => Blank::Open,
                Some(before) if self.is_block(before) => Blank::Force,
                Some(_) if self.is_block(item) => Blank::ForceOnce,
                Some(_) => Blank::Keep,
            };
            self.line(span(item).range().start, 0, blank);
            self.item(item, widths[n]);
        }
    }

    fn item(&mut self, item: &Item, width: usize) {
        match item {
            Item::Let(item) => {
                self.head(&format!("let {}", item.name.node), width, "= ");
                self.expr(&item.value, 0);
            }
            Item::List(list) => self.list(list, width),
            Item::Table(table) => self.table(table, width),
            Item::Rule(rule) => self.rule(rule),
            Item::Tune(tune) => self.tune(tune),
            Item::TuneList(tune) => self.tune_list(tune),
            Item::Test(test) => self.test(test),
            Item::Error(span) => {
                let text = self.text;
                self.push(&text[span.range()]);
            }
        }
    }

    /// Whether it has blank lines around it.
    fn is_block(&self, item: &Item) -> bool {
        match item {
            Item::Rule(_) | Item::Test(_) => true,
            Item::Tune(tune) => self.flat_tune(tune).is_none(),
            _ => false,
        }
    }

    /// How wide what stands before `=` or `from` is, alike in a run of lines of one kind without a blank one.
    fn head_widths(&self, items: &[Item]) -> Vec<usize> {
        let heads: Vec<Option<(bool, String)>> = items.iter().map(head).collect();
        let mut widths = vec![0; items.len()];
        let mut start = 0;
        while start < items.len() {
            let mut end = start + 1;
            while end < items.len() && alike(&heads[end - 1], &heads[end]) && !self.gap(items, end) {
                end += 1;
            }
            let widest = heads[start..end].iter().flatten().map(|(_, head)| head.len()).max().unwrap_or(0);
            widths[start..end].fill(widest);
            start = end;
        }
        widths
    }

    /// Whether a blank line stands before an item that is not the first.
    fn gap(&self, items: &[Item], n: usize) -> bool {
        self.blank_between(span(&items[n - 1]).range().end, span(&items[n]).range().start)
    }

    fn head(&mut self, head: &str, width: usize, then: &str) {
        self.push(head);
        self.pad(head.len(), width + 1);
        self.push(then);
    }

    fn list(&mut self, list: &List, width: usize) {
        let head = list_head(list);
        match &list.values {
            ListSource::Literals(values) => {
                self.head(&head, width, "= ");
                self.literals(values, 0, 0);
            }
            ListSource::From(path) => {
                self.head(&head, width, "from ");
                let path = self.quoted(path.span);
                self.push(&path);
            }
        }
    }

    fn table(&mut self, table: &Table, width: usize) {
        let head = table_head(table);
        match &table.values {
            TableSource::Map(map) => {
                self.head(&head, width, "= ");
                self.map(map, 0, 0);
            }
            TableSource::From(path) => {
                self.head(&head, width, "from ");
                let path = self.quoted(path.span);
                self.push(&path);
            }
        }
    }

    fn rule(&mut self, rule: &Rule) {
        let title = self.quoted(rule.title.span);
        self.push(&format!("rule {} {title} {{", rule.name.node));
        let sections = sections(&rule.clauses);
        for (n, clause) in rule.clauses.iter().enumerate() {
            let blank = if n == 0 { Blank::Open } else { Blank::Keep };
            self.line(clause.span.range().start, INDENT, blank);
            self.clause(clause, sections[n]);
        }
        self.line(rule.span.range().end - 1, 0, Blank::Close);
        self.push("}");
    }

    fn clause(&mut self, clause: &Clause, width: usize) {
        let word = clause.kind.word();
        self.push(word);
        if !matches!(clause.kind, ClauseKind::Disable | ClauseKind::AcrossClusters | ClauseKind::Error) {
            self.pad(word.len(), width + 1);
        }
        match &clause.kind {
            ClauseKind::Severity(severity) => self.push(severity.node.word()),
            ClauseKind::Tags(tags) => {
                let piece = |tag: &Name| (tag.span.range().start, tag.node.clone());
                self.fill(&commas(tags.iter().map(piece).collect()));
            }
            ClauseKind::About(text) => {
                let text = self.quoted(text.span);
                self.push(&text);
            }
            ClauseKind::See(texts) => {
                let pieces =
                    texts.iter().map(|text| (text.span.range().start, self.quoted(text.span))).collect();
                self.fill(&commas(pieces));
            }
            ClauseKind::Disable | ClauseKind::AcrossClusters | ClauseKind::Error => {}
            ClauseKind::On(selector) => self.selector(selector),
            ClauseKind::Where(condition) | ClauseKind::Except(condition) => self.expr(condition, 0),
            ClauseKind::By(parts) => {
                let pieces = self.key_pieces(parts);
                self.fill(&pieces);
            }
            ClauseKind::When(window) => self.window(window),
            ClauseKind::Steps(steps) => self.steps(steps),
            ClauseKind::Alert(template) => {
                let text = self.quoted(template.text.span);
                self.push(&text);
            }
            ClauseKind::Throttle(length) => {
                let length = self.number(length.span);
                self.push(&length);
            }
        }
    }

    fn selector(&mut self, selector: &Selector) {
        let start = selector.span.range().start;
        let SelectorKind::Events { verbs, targets, stage, including_dry_run } = &selector.kind else {
            let pieces = match &selector.kind {
                SelectorKind::Alert(Some(rules)) => {
                    let piece = |name: &Name| (name.span.range().start, name.node.clone());
                    let mut pieces = commas(rules.iter().map(piece).collect());
                    pieces.insert(0, (start, "alert of".to_owned()));
                    pieces
                }
                SelectorKind::Alert(None) => vec![(start, "alert of any".to_owned())],
                _ => vec![(start, "undecodable".to_owned())],
            };
            return self.fill(&pieces);
        };
        let mut pieces = Vec::new();
        let verb_list = verbs.list.iter().map(|verb| {
            let span = verb.name.span;
            (span.range().start, if verb.quoted { self.quoted(span) } else { verb.name.node.clone() })
        });
        if verbs.any.is_some() {
            pieces.push((start, if verbs.list.is_empty() { "any" } else { "any but" }.to_owned()));
        }
        pieces.extend(commas(verb_list.collect()));
        let mut of = "of".to_owned();
        if let Some(any) = targets.any {
            of.push_str(if any == AnyTarget::Resource { " any resource" } else { " any" });
            of.push_str(if targets.list.is_empty() { "" } else { " but" });
        }
        pieces.push((targets.span.range().start, of));
        let target_list = targets.list.iter().map(|target| match target {
            Target::Resource(name) => (name.span.range().start, name.node.clone()),
            Target::NonResource(path) => {
                (path.span.range().start, format!("nonresource {}", self.quoted(path.span)))
            }
        });
        pieces.extend(commas(target_list.collect()));
        if let Some(stage) = stage {
            pieces.push((stage.span.range().start, format!("at {}", stage_word(stage.node))));
        }
        if let Some(span) = including_dry_run {
            pieces.push((span.range().start, "including dry_run".to_owned()));
        }
        self.fill(&pieces);
    }

    fn window(&mut self, window: &Window) {
        let flat = |page: &Self, values: &[Expr]| page.flat_list(values);
        match &window.kind {
            WindowKind::Within { condition, within } => {
                let tail = format!(" within {}", self.number(within.span));
                self.judged(condition, &tail);
            }
            WindowKind::Tumbling { condition, length } => {
                let tail = format!(" tumbling {}", self.number(length.span));
                self.judged(condition, &tail);
            }
            WindowKind::Session { condition, gap, within } => {
                let tail =
                    format!(" session gap {} within {}", self.number(gap.span), self.number(within.span));
                self.judged(condition, &tail);
            }
            WindowKind::FirstSeen { values, within, learning } => {
                let (within, learning) = (self.number(within.span), self.number(learning.span));
                let values = flat(self, values);
                self.push(&format!("first_seen({values}) within {within} learning {learning}"));
            }
            WindowKind::Silent { length, among } => {
                let among = among.as_ref().map_or(String::new(), |name| format!(" among {}", name.node));
                let length = self.number(length.span);
                self.push(&format!("silent for {length}{among}"));
            }
            WindowKind::Error => {}
        }
    }

    fn judged(&mut self, condition: &Expr, tail: &str) {
        self.expr(condition, tail.len());
        self.push(tail);
    }

    fn steps(&mut self, steps: &Steps) {
        let within = self.number(steps.within.span);
        self.push(&format!("within {within} {{"));
        let widest =
            steps.steps.iter().filter(|step| step.no.is_none()).map(|step| step.name.node.len()).max();
        for (n, step) in steps.steps.iter().enumerate() {
            let blank = if n == 0 { Blank::Open } else { Blank::Keep };
            self.line(step.span.range().start, 2 * INDENT, blank);
            self.step(step, widest.unwrap_or(0));
        }
        self.line(steps.span.range().end - 1, INDENT, Blank::Close);
        self.push("}");
    }

    fn step(&mut self, step: &Step, widest: usize) {
        if let Some(no) = &step.no {
            let within =
                no.within.as_ref().map_or(String::new(), |d| format!(" within {}", self.number(d.span)));
            self.push(&format!("no {}{within}: ", step.name.node));
        } else {
            self.push(&format!("{}:", step.name.node));
            self.pad(step.name.node.len(), widest + 1);
        }
        let column = self.column();
        if let Some(times) = &step.times {
            let times = self.number(times.span);
            self.push(&format!("{times} times "));
        }
        let one_line = !self.has_comments(step.span) && self.fits("on ".len() + self.step_width(step));
        self.push("on ");
        self.selector(&step.on);
        if let Some(condition) = &step.condition {
            self.part(condition.span, column, one_line);
            self.push("where ");
            self.expr(condition, 0);
        }
        if let Some(parts) = &step.by {
            let pieces = self.key_pieces(parts);
            let start = parts.first().map_or(step.span, key_span);
            self.part(start, column, one_line);
            self.push("by ");
            self.fill(&pieces);
        }
    }

    /// How wide a step is on one line, after its `on`.
    fn step_width(&self, step: &Step) -> usize {
        let mut aside = self.aside();
        aside.selector(&step.on);
        let condition =
            step.condition.as_ref().map_or(0, |value| " where ".len() + self.flat(value).chars().count());
        let by = step.by.as_ref().map_or(0, |parts| {
            let pieces = self.key_pieces(parts);
            " by".len() + pieces.iter().map(|(_, piece)| 1 + piece.chars().count()).sum::<usize>()
        });
        aside.column() + condition + by
    }

    fn part(&mut self, at: Span, column: usize, one_line: bool) {
        if one_line {
            self.push(" ");
        } else {
            self.line(at.range().start, column, Blank::Never);
        }
    }

    fn tune(&mut self, tune: &Tune) {
        if let Some(flat) = self.flat_tune(tune) {
            return self.push(&flat);
        }
        self.push(&format!("tune {} {{", tune.name.node));
        let width = tune
            .changes
            .iter()
            .filter(|change| has_value(change))
            .map(|change| change_word(change).len())
            .max();
        for (n, change) in tune.changes.iter().enumerate() {
            let blank = if n == 0 { Blank::Open } else { Blank::Keep };
            self.line(change.span.range().start, INDENT, blank);
            self.change(change, width.unwrap_or(0));
        }
        self.line(tune.span.range().end - 1, 0, Blank::Close);
        self.push("}");
    }

    /// A tune on one line: with one change, or none.
    fn flat_tune(&self, tune: &Tune) -> Option<String> {
        if self.has_comments(tune.span) {
            return None;
        }
        let mut aside = self.aside();
        aside.push(&format!("tune {} {{", tune.name.node));
        match &tune.changes[..] {
            [] => aside.push("}"),
            [change] => {
                aside.push(" ");
                aside.change(change, 0);
                aside.push(" }");
            }
            _ => return None,
        }
        aside.on_one_line()
    }

    fn change(&mut self, change: &Change, width: usize) {
        let word = change_word(change);
        self.push(word);
        if has_value(change) {
            self.pad(word.len(), width + 1);
        }
        match &change.kind {
            ChangeKind::Except(condition) => self.expr(condition, 0),
            ChangeKind::Severity(severity) => self.push(severity.node.word()),
            ChangeKind::When(window) => self.window(window),
            ChangeKind::Within(length) | ChangeKind::Throttle(length) => {
                let length = self.number(length.span);
                self.push(&length);
            }
            ChangeKind::Disable | ChangeKind::Enable | ChangeKind::Error => {}
        }
    }

    fn tune_list(&mut self, tune: &TuneList) {
        let words = tune.changes.iter().map(|(add, values)| (if *add { "add" } else { "remove" }, values));
        let mut aside = self.aside();
        aside.push(&format!("tune list {} {{", tune.name.node));
        for (word, values) in words.clone() {
            let values = self.flat_literals(values);
            aside.push(&format!(" {word} {values}"));
        }
        aside.push(if tune.changes.is_empty() { "}" } else { " }" });
        let flat = aside.on_one_line().filter(|_| !self.has_comments(tune.span));
        if let Some(flat) = flat {
            return self.push(&flat);
        }
        self.push(&format!("tune list {} {{", tune.name.node));
        for (n, (word, values)) in words.enumerate() {
            let blank = if n == 0 { Blank::Open } else { Blank::Keep };
            self.line(self.word_before(values.span.range().start), INDENT, blank);
            self.push(word);
            self.pad(word.len(), "remove ".len());
            self.literals(values, INDENT, 0);
        }
        self.line(tune.span.range().end - 1, 0, Blank::Close);
        self.push("}");
    }

    fn test(&mut self, test: &Test) {
        let title = self.quoted(test.title.span);
        let tuned = if test.tuned { "tuned " } else { "" };
        self.push(&format!("test {tuned}{} {title} {{", test.rule.node));
        let mut blank = Blank::Open;
        if let Some(start) = &test.start {
            self.line(self.word_before(start.span.range().start), INDENT, blank);
            let start = self.quoted(start.span);
            self.push(&format!("start {start}"));
            blank = Blank::Keep;
        }
        if let Some(given) = &test.given {
            self.line(self.word_before(given.span.range().start), INDENT, blank);
            self.push("given ");
            self.map(given, INDENT, 0);
            blank = Blank::Keep;
        }
        for happening in &test.happenings {
            self.happening(happening, blank);
            blank = Blank::Keep;
        }
        for expected in &test.expected {
            self.line(expected.span.range().start, INDENT, blank);
            self.expected(expected);
            blank = Blank::Keep;
        }
        self.line(test.span.range().end - 1, 0, Blank::Close);
        self.push("}");
    }

    fn happening(&mut self, happening: &Happening, blank: Blank) {
        match happening {
            Happening::At { at, repeat, as_one, map, span } => {
                self.line(span.range().start, INDENT, blank);
                let mut head = format!("at {} ", self.number(at.span));
                if let Some((times, every)) = repeat {
                    head += &format!("{} times every {} ", self.number(times.span), self.number(every.span));
                }
                if let Some(name) = as_one {
                    head += &format!("as {} ", name.node);
                }
                self.push(&head);
                self.map(map, INDENT, 0);
            }
            Happening::Until(until) => {
                self.line(self.word_before(until.span.range().start), INDENT, blank);
                let until = self.number(until.span);
                self.push(&format!("until {until}"));
            }
        }
    }

    fn expected(&mut self, expected: &Expected) {
        match &expected.kind {
            ExpectedKind::NoAlert => self.push("expect no alert"),
            ExpectedKind::Alerts(count) => {
                let count = self.number(count.span);
                self.push(&format!("expect {count} alerts"));
            }
            ExpectedKind::Alert { at, map } => {
                self.push("expect alert");
                if let Some(at) = at {
                    let at = self.number(at.span);
                    self.push(&format!(" at {at}"));
                }
                if let Some(map) = map {
                    self.push(" ");
                    self.map(map, INDENT, 0);
                }
            }
            ExpectedKind::Error => {}
        }
    }
}

/// What stands before `=` or `from`, and whether it is a `let`'s.
fn head(item: &Item) -> Option<(bool, String)> {
    match item {
        Item::Let(item) => Some((true, format!("let {}", item.name.node))),
        Item::List(list) => Some((false, list_head(list))),
        Item::Table(table) => Some((false, table_head(table))),
        _ => None,
    }
}

fn alike(before: &Option<(bool, String)>, head: &Option<(bool, String)>) -> bool {
    matches!((before, head), (Some((a, _)), Some((b, _))) if a == b)
}

fn list_head(list: &List) -> String {
    format!("{}list {}", if list.cidr { "cidr " } else { "" }, list.name.node)
}

fn table_head(table: &Table) -> String {
    format!("{}table {}", if table.cidr { "cidr " } else { "" }, table.name.node)
}

fn span(item: &Item) -> Span {
    match item {
        Item::Let(item) => item.span,
        Item::List(item) => item.span,
        Item::Table(item) => item.span,
        Item::Rule(item) => item.span,
        Item::Tune(item) => item.span,
        Item::TuneList(item) => item.span,
        Item::Test(item) => item.span,
        Item::Error(span) => *span,
    }
}

fn key_span(part: &KeyPart) -> Span {
    part.name.as_ref().map_or(part.value.span, |name| name.span)
}

/// How wide the words of clauses are: alike in all clauses before the steps, and in all after.
fn sections(clauses: &[Clause]) -> Vec<usize> {
    let mut widths = Vec::with_capacity(clauses.len());
    for section in clauses.split_inclusive(|clause| matches!(clause.kind, ClauseKind::Steps(_))) {
        let padded = section.iter().filter(|clause| {
            !matches!(clause.kind, ClauseKind::Steps(_) | ClauseKind::Disable | ClauseKind::AcrossClusters)
        });
        let width = padded.map(|clause| clause.kind.word().len()).max().unwrap_or(0);
        widths.extend(section.iter().map(|clause| match clause.kind {
            ClauseKind::Steps(_) => 0,
            _ => width,
        }));
    }
    widths
}

fn change_word(change: &Change) -> &'static str {
    match &change.kind {
        ChangeKind::Except(_) => "except",
        ChangeKind::Severity(_) => "severity",
        ChangeKind::Within(_) => "within",
        ChangeKind::When(_) => "when",
        ChangeKind::Throttle(_) => "throttle",
        ChangeKind::Disable => "disable",
        ChangeKind::Enable => "enable",
        ChangeKind::Error => "",
    }
}

fn has_value(change: &Change) -> bool {
    !matches!(change.kind, ChangeKind::Disable | ChangeKind::Enable | ChangeKind::Error)
}

fn stage_word(stage: StagePick) -> &'static str {
    match stage {
        StagePick::RequestReceived => "RequestReceived",
        StagePick::ResponseStarted => "ResponseStarted",
        StagePick::ResponseComplete => "ResponseComplete",
        StagePick::Panic => "Panic",
        StagePick::Any => "any",
    }
}
