//! Versions that were deployed stay as they were: pages name them with the hash of their content.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::{fs, path::Path};

use sha2::{Digest, Sha256};

#[test]
fn a_released_file_is_what_its_name_says_and_its_module_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/t");
    let mut scripts = 0;
    for file in fs::read_dir(&folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let content = fs::read(folder.join(&name)).unwrap();
        let hash: String = Sha256::digest(&content)[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let [first, second, ending] = name.split('.').collect::<Vec<_>>()[..] else {
            unreachable!("{name}")
        };
        assert_eq!(
            (first, second),
            ("shoreline", hash.as_str()),
            "{name} was changed"
        );
        if ending == "js" {
            scripts += 1;
            let script = String::from_utf8(content).unwrap();
            let start = script.find("/t/shoreline.").unwrap() + "/t/".len();
            let end = start + script[start..].find(".wasm").unwrap() + ".wasm".len();
            assert!(
                folder.join(&script[start..end]).exists(),
                "{name} wants {}",
                &script[start..end]
            );
        }
    }
    assert!(scripts > 0, "nothing was released");
}
