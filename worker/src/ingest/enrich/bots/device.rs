//! What a user agent says of the device rather than of who drives it: the model, its build, its maker.
//!
//! Makers name their models as they like (`M BOT TAB 101`, `Spider 8`, `HTC Butterfly`), and builds are names
//! that thousands of models share, so no list of crawlers is asked about either.

/// The marks of a device's own comment.
const SYSTEMS: [&[u8]; 3] = [b"Android", b"Adr ", b"HarmonyOS"];

/// What applications' own views say, wherever it stands: a desktop application, a view of Android, iOS.
const VIEWS: [&[u8]; 5] = [b"Electron/", b"; wv)", b"(iPhone", b"(iPad", b"(iPod"];

/// A user agent in its two parts.
pub(super) struct Parted {
    /// All but models and builds.
    pub(super) rest: Vec<u8>,
    /// Whether a hand-held device or an application shows the page. The applications are too many for any list
    /// of crawlers to know their names from those of crawlers.
    pub(super) is_app: bool,
}

/// Takes a user agent apart.
pub(super) fn part(agent: &[u8]) -> Parted {
    let mut parted = Parted {
        rest: Vec::with_capacity(agent.len()),
        is_app: VIEWS.iter().any(|view| has(agent, view)),
    };
    let mut left = agent;
    while let Some(at) = left.iter().position(|byte| matches!(byte, b'(' | b'[')) {
        let (before, comment) = left.split_at_checked(at).unwrap_or((left, b""));
        let (comment, after) = comment
            .split_at_checked(len(comment))
            .unwrap_or((comment, b""));
        parted.rest.extend_from_slice(before);
        if is_of_device(before, comment) {
            parted.is_app = true;
            parted.rest.extend_from_slice(behind_build(comment));
        } else {
            parted.rest.extend_from_slice(comment);
        }
        left = after;
    }
    parted.rest.extend_from_slice(left);
    parted
}

/// Bytes of the comment that `text` begins with, its brackets included; of one that does not end, all.
fn len(text: &[u8]) -> usize {
    let mut depth = 0_usize;
    let end = text.iter().position(|byte| {
        match byte {
            b'(' | b'[' => depth = depth.saturating_add(1),
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    end.map_or(text.len(), |end| end.saturating_add(1))
}

/// Whether a comment tells of a device: `(Linux; Android 13; …)`, `Android (35/15; …)` of Instagram,
/// `[FBAN/…;FBDV/…]` of Facebook. A crawler that poses as a device has its address there, or says `compatible`.
fn is_of_device(before: &[u8], comment: &[u8]) -> bool {
    if comment.starts_with(b"[FB") {
        return true;
    }
    let is_device = before.ends_with(b"Android ") || SYSTEMS.iter().any(|mark| has(comment, mark));
    is_device && !has(comment, b"://") && !has(comment, b"ompatible")
}

/// What stands behind the build in a device's comment: nothing of the device's own.
fn behind_build(comment: &[u8]) -> &[u8] {
    const BUILD: &[u8] = b" Build/";
    let Some(at) = place(comment, BUILD) else {
        return b" ";
    };
    let build = comment.get(at..).unwrap_or_default();
    let end = build.iter().position(|byte| matches!(byte, b';' | b')'));
    end.and_then(|end| build.get(end..)).unwrap_or(b" ")
}

fn place(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn has(text: &[u8], part: &[u8]) -> bool {
    place(text, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(agent: &str) -> String {
        String::from_utf8(part(agent.as_bytes()).rest).unwrap()
    }

    #[test]
    fn models_and_builds_are_left_out() {
        for (agent, want) in [
            ("A (Linux; Android 13; M BOT TAB 101) B", "A   B"),
            ("A (Linux; Android 15; X Build/AP3A.1; wv) B", "A ; wv) B"),
            (
                "A (Linux; Android 8; X Build/Y; Some/1.0) B",
                "A ; Some/1.0) B",
            ),
            ("A (Linux; U; Adr 6.0; en; M_BOT) B", "A   B"),
            ("A Android (35/15; OPPO; BOT) B", "A Android   B"),
            ("A (K) [FBAN/F;FBDV/M BOT;FBLC/de] B", "A (K)   B"),
            ("A (Linux; Android 6 (Spider (8)) B", "A  "),
            ("A (Linux; HarmonyOS; BOT-AL00) B", "A   B"),
        ] {
            assert_eq!(rest(agent), want, "{agent}");
            assert!(part(agent.as_bytes()).is_app, "{agent}");
        }
    }

    #[test]
    fn what_is_no_device_stays() {
        for agent in [
            "",
            "A (X11; Linux) B (KHTML, like Gecko)",
            "A (compatible; SomeBot; Android 9) B",
            "A (Linux; Android 9; +https://a.example/bot) B",
            "A ) B ] (",
        ] {
            assert_eq!(rest(agent), agent);
            assert!(!part(agent.as_bytes()).is_app, "{agent}");
        }
        assert!(part(b"A (iPhone; CPU iPhone OS 18_7) B").is_app);
        assert!(part(b"A (Windows) Code/1.1 Electron/39.1 B").is_app);
    }
}
