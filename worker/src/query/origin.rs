//! What takes several columns of an event to know: by which way a view came, and amounts of money.

use shoreline_shared::event_type::PAGE_VIEW;

use super::channel::{Came, Channel, is_paid, of_medium, of_source};
use super::load::Source;
use super::loaded::{Entry, Loaded, by_code};
use super::metric::{currency_name, currency_of};
use crate::archive::Column;
use crate::archive::scan::Places;
use crate::archive::segment::Broken;

/// The properties that tell of money.
const AMOUNT: &str = "revenue.amount";
const CURRENCY: &str = "revenue.currency";

/// What stands before an amount: a currency of three letters and a space.
const CODE_CHARS: usize = 4;

impl<'a> Source<'_, 'a> {
    /// By which way each view came.
    pub(super) fn channels(&self) -> Result<Option<Loaded<'a>>, Broken> {
        let n = self.segment.len();
        let Some(view) = self.segment.column_code(Column::Type, PAGE_VIEW)? else {
            return Ok(Some(Loaded {
                dict: Vec::new(),
                codes: vec![0; n],
            }));
        };
        let (sources, urls) = (
            self.property_of("referrerSource", PAGE_VIEW)?,
            self.property_of("url", PAGE_VIEW)?,
        );
        let (Some(sources), Some(urls)) = (sources, urls) else {
            return Ok(None);
        };
        let column = |column| self.segment.column(column);
        let (media, names) = (column(Column::UtmMedium)?, column(Column::UtmSource)?);
        let campaigns = column(Column::UtmCampaign)?;
        let hosts = column(Column::Referrer)?;
        let types = column(Column::Type)?.codes;
        let of_media: Vec<_> = none_and(media.dict.iter().map(|medium| of_medium(medium)));
        let of_sources = none_and(sources.dict.iter().map(|source| of_source(&source.text)));
        let mut paid = vec![false];
        paid.extend(urls.dict.iter().map(|url| is_paid(&url.text)));
        let mut came = vec![Came::default(); n];
        for (came, code) in came.iter_mut().zip(by_code(&media.codes, &of_media, None)) {
            came.medium = code;
        }
        for (came, code) in came
            .iter_mut()
            .zip(by_code(&sources.codes, &of_sources, None))
        {
            came.source = code;
        }
        for (came, is_paid) in came.iter_mut().zip(by_code(&urls.codes, &paid, false)) {
            came.is_paid = is_paid;
        }
        for codes in [&media.codes, &names.codes, &campaigns.codes] {
            for (came, code) in came.iter_mut().zip(codes) {
                came.has_campaign |= *code != 0;
            }
        }
        for ((came, host), source) in came.iter_mut().zip(&hosts.codes).zip(&sources.codes) {
            (came.has_referrer, came.has_source) = (*host != 0, *source != 0);
        }
        let code = |(came, kind): (&Came, &u32)| {
            if *kind == view {
                u32::from(came.channel() as u8).saturating_add(1)
            } else {
                0
            }
        };
        Ok(Some(Loaded {
            codes: came.iter().zip(&types).map(code).collect(),
            dict: Channel::ALL
                .iter()
                .map(|(_, name)| Entry::text(*name))
                .collect(),
        }))
    }

    /// Currencies of amounts, in capital letters.
    pub(super) fn currencies(&self) -> Result<Option<Loaded<'a>>, Broken> {
        let Some(mut loaded) = self.property(CURRENCY)? else {
            return Ok(None);
        };
        let mut table = vec![0];
        let mut dict = Vec::new();
        let mut places = Places::default();
        for entry in &loaded.dict {
            let code = currency_of(&entry.text);
            table.push(code.map_or(0, |code| {
                let place = places.place(code as u64).saturating_add(1);
                if place as usize > dict.len() {
                    dict.push(Entry::text(currency_name(code)));
                }
                place
            }));
        }
        loaded.codes = by_code(&loaded.codes, &table, 0);
        loaded.dict = dict;
        Ok(Some(loaded))
    }

    /// Amounts as `EUR 12.50`; what is no amount of a currency is an empty text.
    pub(super) fn money(&self) -> Result<Option<Loaded<'a>>, Broken> {
        let (Some(amounts), Some(currencies)) = (self.property(AMOUNT)?, self.currencies()?) else {
            return Ok(None);
        };
        let (mut places, mut dict) = (Places::default(), Vec::new());
        let mut code = |(amount, currency): (&u32, &u32)| {
            if *amount == 0 {
                return 0;
            }
            let place = places.place(u64::from(*amount) << 32 | u64::from(*currency));
            let entry = |all: &[Entry<'_>], code: u32| {
                let entry = all.get((code as usize).wrapping_sub(1));
                entry.map(|entry| entry.text.to_string())
            };
            if place as usize >= dict.len() {
                let parts = entry(&currencies.dict, *currency).zip(entry(&amounts.dict, *amount));
                let text = parts.map(|(currency, amount)| format!("{currency} {amount}"));
                dict.push(Entry::text(text.unwrap_or_default()));
            }
            place.saturating_add(1)
        };
        let codes = amounts.codes.iter().zip(&currencies.codes);
        let codes = codes.map(&mut code).collect();
        Ok(Some(Loaded { dict, codes }))
    }
}

/// The currency and the digits of an amount of [`Source::money`].
pub(super) fn money_of(text: &str) -> Option<(i64, &str)> {
    let (code, amount) = text.split_at_checked(CODE_CHARS)?;
    Some((currency_of(code.trim_end())?, amount))
}

/// A table by code: nothing for 0, then what distinct values stand for.
fn none_and<T: Copy>(all: impl Iterator<Item = Option<T>>) -> Vec<Option<T>> {
    std::iter::once(None).chain(all).collect()
}
