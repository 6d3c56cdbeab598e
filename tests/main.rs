//! One integration program, one link: what people do with Visavis, tried on real files with the real program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod alterations;
mod asked;
mod audit;
mod bad_input;
mod claims;
mod containers;
mod copied_commands;
mod crops;
mod desk;
mod dialects;
mod dispatch;
mod duplicates;
mod faults;
mod few;
mod files;
mod finding;
mod forgeries;
mod fuzz;
mod golden;
mod hostile_pages;
mod journeys;
mod kills;
mod label_tables;
mod labels;
mod membership;
mod mounted_disk;
mod mutants;
mod networks;
mod nodes;
mod oracle;
mod projection_studies;
mod reference;
mod releases;
mod report;
mod screens;
mod slurm;
mod slurm_rig;
mod tables;
mod two_mounts;
mod verification;
mod walls;
mod weights;
mod whole_networks;
mod workspace;
