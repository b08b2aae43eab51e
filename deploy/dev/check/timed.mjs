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
  'overload::ten_times_what_it_can_take_is_told_to_wait_and_nothing_that_was_taken_is_lost',
  'pipeline::a_queue_of_messages_is_worked_off_without_a_pause',
  'pages::three_views_and_five_clicks_on_the_demo_page_arrive_everywhere',
];
