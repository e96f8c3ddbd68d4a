//! What an alert says of itself, for the rules that hear it.

#[cfg(test)]
mod tests;

use dsl::ir::AlertField;

use crate::alert::Alert;
use crate::matches::Value;

/// The fields of an alert as values, made once for all that hear it.
#[derive(Clone, Debug)]
pub(crate) struct AlertFacts {
    rule: Value,
    severity: Value,
    tags: Value,
    message: Value,
    count: Value,
    key: Value,
    approximate: Value,
}

impl AlertFacts {
    pub(crate) fn new(alert: &Alert) -> Self {
        let tags = alert.rule.tags.iter().map(|tag| Value::Text(tag.clone())).collect();
        let mut key = alert.key.clone();
        key.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self {
            rule: Value::Text(alert.rule.name.clone()),
            severity: Value::Text(alert.rule.severity.word().into()),
            tags: Value::List { items: tags, open: false },
            message: Value::Text(alert.message.as_str().into()),
            #[expect(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
            count: Value::Number(alert.count as f64),
            key: Value::Map { entries: key, open: false },
            approximate: Value::Bool(alert.approximate),
        }
    }

    pub(crate) fn field(&self, field: AlertField) -> &Value {
        match field {
            AlertField::Rule => &self.rule,
            AlertField::Severity => &self.severity,
            AlertField::Tags => &self.tags,
            AlertField::Message => &self.message,
            AlertField::Count => &self.count,
            AlertField::Key => &self.key,
            AlertField::Approximate => &self.approximate,
        }
    }
}
