"""Where every row of the list of attacks is tested.

The list, with the outcome each row must have, is part of the design of the grader. Forms that are data stand in
`forms.py` of this folder, under the row's number. `ELSEWHERE` names the tests of other folders (below
`tests/autograder`), which ask one part of the grader more closely.
"""

#: Number 39 is nobody's.
TITLES = {
    1: "tags on graded cells",
    2: "graded cells or all metadata deleted",
    3: "metadata flipped",
    4: "graded cell copied",
    5: "cells in another order",
    6: "a broken, huge or foreign file",
    7: "transformers of input and syntax trees",
    8: "the shell patched",
    9: "messages forged",
    10: "objects that equal everything",
    11: "comparisons patched",
    12: "modules shadowed",
    13: "leaving early",
    14: "ending the process",
    15: "writing at shutdown",
    16: "printing a score",
    17: "writing result files",
    18: "the gradebook",
    19: "reading solutions, checks and submissions",
    20: "importing the checks",
    21: "searching memory",
    22: "reading other processes",
    23: "killing other processes",
    24: "sockets of others",
    25: "the network",
    26: "too many processes",
    27: "too much memory",
    28: "too much disk",
    29: "too much output",
    30: "never ending",
    31: "many cells just within the limit",
    32: "outliving the notebook",
    33: "payloads for pickle",
    34: "odd values",
    35: "traps in an archive",
    36: "active content",
    37: "forged times",
    38: "echoing hidden inputs",
    40: "detecting that one is graded",
    41: "knowing the inputs",
    42: "remembering calls and changing inputs",
    43: "too many processors",
    44: "doors of the system",
}

RESTORE, TAKING = "grading/test_restore.py", "grading/test_taking_over.py"
GRADING, NBGRADER = "grading/test_grading.py", "grading/test_with_nbgrader.py"
ESCAPES, LIMITS, OUTPUT = "sandbox/test_escapes.py", "sandbox/test_limits.py", "sandbox/test_output.py"
WARM, WALL, WIRE = "sandbox/test_warm.py", "wall/test_wall_attacks.py", "wall/test_wall_wire.py"
COLLECT, SANITIZE = "classroom/test_classroom_collect.py", "grading/test_sanitize.py"

ELSEWHERE: dict[int, tuple[str, ...]] = {
    1: (f"{RESTORE}::test_tags_and_metadata_are_reset", f"{TAKING}::test_metadata_tags_copies_and_order"),
    2: (
        f"{TAKING}::test_deleted_cells_and_metadata",
        f"{RESTORE}::test_missing_cells_come_back_as_they_were_handed_out",
        f"{NBGRADER}::test_nbgrader_autograde_gives_the_scores_of_the_records",
    ),
    3: (
        f"{RESTORE}::test_flipped_nbgrader_metadata_is_put_back",
        f"{RESTORE}::test_a_changed_cell_type_is_put_back",
    ),
    4: (f"{RESTORE}::test_copies_become_added_cells", f"{TAKING}::test_metadata_tags_copies_and_order"),
    5: (
        f"{RESTORE}::test_cells_in_another_order_are_put_back_and_added_cells_follow_their_predecessor",
        f"{TAKING}::test_metadata_tags_copies_and_order",
    ),
    6: (
        f"{RESTORE}::test_what_cannot_be_graded_is_said_in_one_sentence",
        f"{RESTORE}::test_odd_cells_among_honest_ones_do_no_harm",
        f"{RESTORE}::test_deep_nesting_that_json_can_read_is_never_walked",
        "classroom/test_classroom_grade.py::test_a_submission_that_is_no_notebook",
    ),
    7: (f"{TAKING}::test_taking_over_the_kernel_gains_nothing",),
    8: (f"{TAKING}::test_taking_over_the_kernel_gains_nothing",),
    9: (
        f"{TAKING}::test_taking_over_the_kernel_gains_nothing",
        f"{OUTPUT}::test_what_a_hostile_kernel_sends_does_no_harm",
        f"{OUTPUT}::test_a_broken_connection_ends_the_kernel_and_not_the_grader",
    ),
    10: (f"{WALL}::test_10_trick_objects", f"{WIRE}::test_overridden_methods_have_no_say"),
    11: (
        f"{WALL}::test_11_patched_comparisons",
        f"{TAKING}::test_breaking_pythons_own_tools_is_ones_own_loss",
    ),
    12: (f"{ESCAPES}::test_the_instructors_packages_cannot_be_imported",),
    13: (f"{TAKING}::test_leaving_early_and_trick_answers_gain_nothing",),
    14: (
        f"{GRADING}::test_a_kernel_that_ends_costs_the_exercise_it_ended_in",
        f"{LIMITS}::test_a_crash_is_said_to_be_one",
        f"{WALL}::test_a_dead_process_keeps_what_came_before_it",
    ),
    15: (f"{TAKING}::test_shutting_the_kernel_down_costs_one_exercise",),
    16: (f"{TAKING}::test_taking_over_the_kernel_gains_nothing",),
    17: (f"{ESCAPES}::test_only_scratch_can_be_written",),
    18: (
        f"{ESCAPES}::test_nothing_is_inherited",
        f"{WARM}::test_the_template_shows_what_its_kernels_see_and_no_more",
    ),
    19: (
        f"{ESCAPES}::test_files_outside_do_not_exist",
        f"{ESCAPES}::test_no_file_that_can_be_read_is_the_instructors",
        "grading/test_stand_ins.py::test_an_untouched_stub_earns_nothing_by_a_stand_in",
    ),
    20: (
        f"{ESCAPES}::test_the_instructors_packages_cannot_be_imported",
        f"{ESCAPES}::test_the_instructors_packages_are_named_nowhere",
    ),
    21: (f"{WARM}::test_a_kernel_learns_nothing_of_another",),
    22: (f"{ESCAPES}::test_no_other_process", f"{ESCAPES}::test_processes_seen_are_the_jails_own"),
    23: (f"{LIMITS}::test_killing_everything_harms_nobody", f"{ESCAPES}::test_no_other_process"),
    24: (
        f"{ESCAPES}::test_other_kernels_sockets_cannot_be_reached",
        f"{ESCAPES}::test_abstract_sockets_of_the_machine_cannot_be_reached",
    ),
    25: (f"{ESCAPES}::test_no_network",),
    26: (
        f"{LIMITS}::test_300_processes_or_threads_are_refused",
        f"{LIMITS}::test_fork_bomb_is_contained_and_another_kernel_lives",
    ),
    27: (
        f"{LIMITS}::test_one_process_taking_8_gib_gets_an_error_or_ends",
        f"{LIMITS}::test_many_processes_taking_memory_together_end",
    ),
    28: (f"{LIMITS}::test_disk_and_files_come_to_an_end",),
    29: (
        f"{OUTPUT}::test_output_is_cut_at_its_source",
        f"{OUTPUT}::test_an_endless_message_ends_the_kernel",
        f"{GRADING}::test_what_all_cells_show_has_one_limit",
    ),
    30: (
        f"{LIMITS}::test_endless_work_ends",
        f"{LIMITS}::test_sleeping_is_ended_by_the_wall_clock_and_said_to_be_so",
        "classroom/test_classroom_workers.py::test_a_resident_worker_answers_and_is_ended_when_a_task_does_not_end",
    ),
    31: (
        f"{LIMITS}::test_many_cells_just_below_the_limit_pass_the_notebooks",
        f"{GRADING}::test_when_the_notebooks_time_is_used_up_the_rest_says_so",
    ),
    32: (f"{LIMITS}::test_no_process_survives", f"{LIMITS}::test_orphans_are_collected"),
    33: (f"{WALL}::test_33_payloads_are_never_unpickled", f"{WALL}::test_33_forged_frames"),
    34: (f"{WALL}::test_34_odd_tensors", f"{WIRE}::test_tensors_without_plain_values_are_refused"),
    35: (
        f"{COLLECT}::test_a_zip_file_full_of_traps",
        f"{COLLECT}::test_a_zip_bomb_is_not_unpacked",
        f"{COLLECT}::test_an_entry_that_lies_about_its_size_is_refused",
        f"{COLLECT}::test_a_folder_full_of_traps",
    ),
    36: (
        f"{SANITIZE}::test_active_markdown_is_disarmed",
        f"{SANITIZE}::test_a_scheme_behind_thousands_of_zeros_is_disarmed",
        "classroom/test_classroom_pages.py::test_what_students_wrote_is_text",
        "classroom/test_classroom_pages.py::test_grades_add_up_and_hold_no_formula",
        "classroom/test_classroom_names.py::test_a_formula_is_escaped",
    ),
    37: (
        "classroom/test_classroom_grade.py::test_lateness_comes_from_the_collector",
        f"{COLLECT}::test_a_late_notebook_among_those_of_another_topic_is_late",
        "attacks/test_collecting.py::test_a_time_that_the_student_writes_is_not_read",
    ),
    38: (f"{WALL}::test_38_echoed_inputs_are_all_there_is_to_learn",),
    40: (f"{WARM}::test_a_forked_kernel_is_shut_in_like_one_of_its_own_interpreter",),
    41: ("grading/test_seeds.py::test_every_part_of_the_key_changes_the_seed",),
    42: (
        f"{WALL}::test_42_answers_remembered_and_inputs_mutated",
        "wall/test_wall_student.py::test_inputs_are_fresh_copies",
    ),
    44: (f"{ESCAPES}::test_doors_of_the_system_are_shut", f"{ESCAPES}::test_no_program_gives_privileges"),
}
