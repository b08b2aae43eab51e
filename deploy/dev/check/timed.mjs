// End-to-end tests that need the machine for themselves, or little of it.

/**
 * By parts of their names: those that hold a clock against the system, which other tests would slow down, and those
 * that wait for a minute to pass. They run after the others, as many at a time as there are processors.
 */
export const TIMED = [
  'dashboard::speed::',
  'dashboard::stream::',
  'keys::',
  'limits::',
  'live::an_event_is_in_a_frame_within_the_bound',
  'pages::three_views_and_five_clicks_on_the_demo_page_arrive_everywhere',
];
