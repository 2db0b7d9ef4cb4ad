//! The list of all cases.

use strongroom_core::Capabilities;

use crate::{Case, handles, lists, names, plain_data, threads, values, writes};

/// Generates a `#[test]` for each case. The crate's docs show an example.
///
/// The first argument is an expression for a closure that returns a store. The optional second argument is a
/// function from the name of a case to `true` if the case is not to run. It is for a substitute of the
/// platform that can't meet all requirements.
#[macro_export]
macro_rules! conformance_tests {
    ($factory:expr $(,)?) => {
        $crate::conformance_tests!($factory, |_| false);
    };
    ($factory:expr, $is_excused:expr $(,)?) => {
        $crate::__for_each_case!($crate::__conformance_test, ($factory, $is_excused));
    };
}

/// Generates a `#[test]` for each name of the list.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_test {
    (
        ($factory:expr, $is_excused:expr)
        $($module:ident :: $case:ident if $applies:ident,)+
    ) => {
        $(
            #[test]
            fn $case() {
                let is_excused: fn(&str) -> bool = $is_excused;
                if is_excused(stringify!($case)) {
                    return;
                }
                let open = $factory;
                let factory = || {
                    let store: ::std::sync::Arc<dyn $crate::__core::Store> =
                        ::std::sync::Arc::new(open());
                    store
                };
                let _outcome: $crate::Outcome = $crate::run(stringify!($case), &factory);
            }
        )+
    };
}

/// Calls another macro of this crate with the given argument, followed by the list of cases.
#[doc(hidden)]
#[macro_export]
macro_rules! __for_each_case {
    ($then:path, $argument:tt) => {
        $then! {
            $argument
            values::round_trips_an_empty_value if always,
            values::round_trips_unicode if always,
            values::round_trips_line_breaks_and_tabs if always,
            values::round_trips_control_characters if always,
            values::round_trips_surrounding_spaces if always,
            values::round_trips_a_byte_order_mark if always,
            values::round_trips_what_looks_like_armor if always,
            values::round_trips_an_armored_value if always,
            values::round_trips_four_kibibytes if takes_four_kibibytes,
            values::round_trips_the_largest_value if always,
            values::round_trips_every_byte if binary_safe,
            values::refuses_a_value_that_is_too_large_and_keeps_the_old_one if limited,
            values::refuses_bytes_that_are_not_text if text_only,
            values::refuses_to_read_bytes_as_text if binary_safe,
            values::text_and_bytes_are_one_entry if always,
            writes::a_missing_entry_is_none if always,
            writes::overwrites_with_another_value if always,
            writes::overwrites_with_a_shorter_value if always,
            writes::overwrites_with_a_longer_value if always,
            writes::creates_a_new_entry if always,
            writes::create_new_leaves_an_existing_entry_alone if always,
            writes::a_refused_create_leaves_nothing if limited,
            writes::deletes_an_entry if always,
            writes::says_false_when_deleting_what_is_missing if always,
            writes::stores_again_after_a_delete if always,
            writes::exists_follows_writes_and_deletes if always,
            writes::an_unknown_candidate_is_refused_and_nothing_changes if always,
            names::awkward_users_stay_apart if always,
            names::awkward_services_stay_apart if always,
            names::takes_the_longest_names if always,
            names::names_that_join_alike_stay_apart if always,
            names::case_tells_names_apart if always,
            names::refuses_names_that_cannot_be_used if always,
            lists::names_each_entry_once if can_list,
            lists::an_unknown_service_has_no_entries if can_list,
            lists::forgets_deleted_entries if can_list,
            lists::lists_awkward_names_as_they_are if can_list,
            lists::leaves_out_services_of_similar_names if can_list,
            lists::refuses_to_list_where_it_cannot if cannot_list,
            handles::a_handle_sees_what_another_wrote if always,
            handles::a_handle_sees_what_another_deleted if always,
            handles::an_entry_outlives_its_handle if always,
            threads::one_of_eight_creators_wins if always,
            threads::threads_keep_to_their_own_entries if always,
            threads::writers_of_one_entry_leave_a_whole_value if always,
            plain_data::capabilities_never_change if always,
            plain_data::its_name_is_one_lower_case_word if always,
            plain_data::probing_changes_nothing if always,
            plain_data::debug_shows_no_value if always,
            plain_data::errors_show_no_value if always,
            plain_data::errors_name_their_context if always,
        }
    };
}

macro_rules! case_table {
    (() $($module:ident :: $case:ident if $applies:ident,)+) => {
        /// All cases, in the recommended order of implementing a store.
        pub const CASES: &[Case] = &[
            $(Case { name: stringify!($case), applies: $applies, check: $module::$case },)+
        ];
    };
}

__for_each_case!(case_table, ());

fn always(_: &Capabilities) -> bool {
    true
}

fn binary_safe(capabilities: &Capabilities) -> bool {
    capabilities.binary_safe
}

fn can_list(capabilities: &Capabilities) -> bool {
    capabilities.can_list
}

fn cannot_list(capabilities: &Capabilities) -> bool {
    !capabilities.can_list
}

fn limited(capabilities: &Capabilities) -> bool {
    capabilities.max_secret_len.is_some()
}

fn takes_four_kibibytes(capabilities: &Capabilities) -> bool {
    capabilities.max_secret_len.is_none_or(|max| max >= 4096)
}

fn text_only(capabilities: &Capabilities) -> bool {
    !capabilities.binary_safe
}
