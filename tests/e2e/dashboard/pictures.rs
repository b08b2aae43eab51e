//! The README's pictures: the dashboard with a month of made-up traffic behind it.

use shoreline_tests::root;
use shoreline_tests::system::shared;

use super::Dashboard;
use crate::traffic::make_up;

/// With this set, they are written where the README has them.
const WRITE: &str = "SHORELINE_WRITE_PICTURES";

#[tokio::test]
async fn the_readme_s_pictures_show_what_is_there() {
    let site = shared().new_local_site().await;
    let folder = tempfile::tempdir().unwrap();
    let options = "--days 30 --per-day 150 --events 150 --rate 50";
    let options: Vec<&str> = options.split(' ').collect();
    make_up(&site, folder.path(), &options);
    site.settle().await;
    let place = match std::env::var_os(WRITE) {
        Some(_) => root().join("docs"),
        None => root().join("target/screenshots"),
    };
    std::fs::create_dir_all(&place).unwrap();
    let d = Dashboard::open(site, "").await;
    d.scheme("light").await;
    d.resize(1280, 900).await;
    for (view, figure) in [("overview", "Sessions"), ("now", "Events, last hour")] {
        d.go(&format!("?view={view}")).await;
        let shown = d.figure(figure).await;
        assert!(
            shown.starts_with(|c: char| ('1'..='9').contains(&c)),
            "{view}: {shown}"
        );
        let picture = d.browser.driver().screenshot_as_png().await.unwrap();
        std::fs::write(place.join(format!("dashboard-{view}.png")), picture).unwrap();
    }
    d.nothing_wrong().await;
}
