//! What a shared link may ask, and how a question is narrowed to it.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::wrong;
use super::View;
use crate::base::json;
use crate::http::error::Fault;
use crate::http::params::Params;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A question of events, in any form.
    Query,
    /// The platform's figures.
    Platform,
    /// Uses of features.
    Features,
    /// Web Vitals.
    Vitals,
    /// Funnels, retention, journeys.
    Walk,
    /// Which properties there are.
    Properties,
    /// The names and filters of goals.
    Goals,
    /// Anything else, which no link may ask.
    Else,
}

/// A link that is open.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = OpenLink))]
pub struct Link {
    #[serde(skip)]
    /// The site that it reads.
    pub site: String,
    #[serde(skip)]
    /// The site's time zone, where it has one of its own.
    pub time_zone: Option<String>,
    /// For whom it is.
    pub name: String,
    /// What it shows.
    pub views: Vec<View>,
    /// What everything is narrowed to.
    #[cfg_attr(test, schema(required, value_type = Option<Vec<Value>>))]
    pub filters: Option<Value>,
}

impl View {
    /// Whether it asks for a property of events, but for which any would do.
    fn shows(self, property: &str) -> bool {
        match self {
            Self::Properties | Self::Ask => true,
            Self::Goals => property == REVENUE,
            Self::Features => property == "duration",
            Self::Content => ["contentType", "tokens", "cost"].contains(&property),
            Self::Errors => ["name", "value"].contains(&property),
            Self::Overview | Self::Pages | Self::Funnels => false,
        }
    }
}

/// The property that money is in.
const REVENUE: &str = "revenue";

impl Link {
    /// Checks that a call may be asked.
    ///
    /// # Errors
    /// 403 where it may not.
    pub fn may(&self, way: Way) -> Result<(), Fault> {
        let shows = |some: &[View]| some.iter().any(|view| self.views.contains(view));
        let may = match way {
            Way::Query => true,
            // Sums of all events.
            Way::Platform => {
                self.filters.is_none() && shows(&[View::Overview, View::Features, View::Content])
            }
            Way::Properties => self.filters.is_none() && shows(&[View::Properties, View::Ask]),
            Way::Features => shows(&[View::Features]),
            Way::Vitals => shows(&[View::Errors]),
            Way::Walk => shows(&[View::Funnels]),
            Way::Goals => shows(&[View::Goals, View::Funnels, View::Ask]),
            Way::Else => false,
        };
        if may { Ok(()) } else { Err(Fault::WrongScope) }
    }

    /// A body, narrowed. One that cannot be read is refused here: a call might read more than this does.
    ///
    /// # Errors
    /// 400 for what is no JSON object, 403 with the path of what may not be asked.
    pub fn body(&self, body: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let fields = json::read::<Map<String, Value>>(&body);
        let mut fields = fields.map_err(|_| Fault::malformed("The body must be a JSON object."))?;
        self.question(&mut fields, "")?;
        if let Some(own) = &self.filters {
            let narrowed = both(own, fields.get("filters"));
            fields.insert("filters".to_owned(), narrowed);
        }
        Ok(Value::Object(fields).to_string().into_bytes())
    }

    /// The parameters of a question, narrowed.
    ///
    /// # Errors
    /// 400 where the filters cannot be read, 403 where a filter may not be asked.
    pub fn params(&self, params: Params) -> Result<Params, Fault> {
        let mut theirs = match params.get("filters") {
            Some(text) => {
                let filters = json::read::<Value>(text.as_bytes());
                let detail = "filters is a filter as JSON, percent-encoded.";
                Some(filters.map_err(|_| wrong("filters", detail))?)
            }
            None => None,
        };
        if let Some(filters) = &mut theirs {
            self.filter(filters, "filters")?;
        }
        Ok(match &self.filters {
            Some(own) => params.with("filters", both(own, theirs.as_ref()).to_string()),
            None => params,
        })
    }

    /// Checks what a question asks for, and narrows what it asks of users.
    fn question(&self, fields: &mut Map<String, Value>, path: &str) -> Result<(), Fault> {
        let at = |name: &str| format!("{path}{name}");
        if fields
            .get("droppedAfter")
            .is_some_and(|step| !step.is_null())
        {
            // It tells users.
            return Err(not_shared(&at("droppedAfter")));
        }
        for name in ["metrics", "dimensions"] {
            let list = fields.get(name).and_then(Value::as_array);
            for (place, asked) in list.into_iter().flatten().enumerate() {
                self.named(asked, || at(&format!("{name}[{place}]")))?;
            }
        }
        if let Some(by) = fields.get("by") {
            self.named(by, || at("by"))?;
        }
        for name in ["filters", "goal"] {
            if let Some(filter) = fields.get_mut(name) {
                self.filter(filter, &at(name))?;
            }
        }
        for name in ["steps", "panels"] {
            let Some(Value::Array(list)) = fields.get_mut(name) else {
                continue;
            };
            for (place, inner) in list.iter_mut().enumerate() {
                let path = at(&format!("{name}[{place}]"));
                match inner {
                    Value::Object(fields) => self.question(fields, &format!("{path}."))?,
                    filter => self.filter(filter, &path)?,
                }
            }
        }
        Ok(())
    }

    /// Checks a filter of theirs. What users did is asked of the link's own events.
    fn filter(&self, filter: &mut Value, path: &str) -> Result<(), Fault> {
        let Value::Array(parts) = filter else {
            return Ok(());
        };
        let operator = parts.first().and_then(Value::as_str).map(str::to_owned);
        let operator = operator.unwrap_or_default();
        if !["and", "or", "not", "did", "did_not"].contains(&operator.as_str()) {
            let named = parts.get(1).unwrap_or(&Value::Null);
            return self.named(named, || format!("{path}[1]"));
        }
        let is_of_user = operator.starts_with("did");
        for (place, inner) in parts.iter_mut().enumerate().skip(1) {
            self.filter(inner, &format!("{path}[{place}]"))?;
            if let (true, Some(own)) = (is_of_user, &self.filters) {
                if is_of_users(own) {
                    return Err(not_shared(&format!("{path}[0]")));
                }
                *inner = both(own, Some(inner));
            }
        }
        Ok(())
    }

    /// Checks the name of a metric or dimension.
    fn named(&self, name: &Value, path: impl Fn() -> String) -> Result<(), Fault> {
        let property = name.as_str().and_then(property_in);
        let shows = |property: &str| self.views.iter().any(|view| view.shows(property));
        if property.is_none_or(shows) {
            Ok(())
        } else {
            Err(not_shared(&path()))
        }
    }
}

fn not_shared(path: &str) -> Fault {
    Fault::NotShared {
        path: path.to_owned(),
    }
}

/// Both filters.
fn both(own: &Value, theirs: Option<&Value>) -> Value {
    match theirs {
        None | Some(Value::Null) => own.clone(),
        Some(Value::Array(list)) if list.is_empty() => own.clone(),
        Some(theirs) => json!(["and", own, theirs]),
    }
}

/// Whether a filter asks for what users did, which stands in no other such.
fn is_of_users(filter: &Value) -> bool {
    let parts = filter.as_array().map(Vec::as_slice).unwrap_or_default();
    match parts.first().and_then(Value::as_str) {
        Some("did" | "did_not") => true,
        Some("and" | "or" | "not") => parts.iter().skip(1).any(is_of_users),
        _ => false,
    }
}

/// The property that a metric or dimension asks for.
fn property_in(name: &str) -> Option<&str> {
    if name.starts_with(REVENUE) || name == "currency" {
        return Some(REVENUE);
    }
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).strip_prefix("data.")
}
