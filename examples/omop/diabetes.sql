-- One row a patient with type 2 diabetes, from the tables of the OMOP common data model 5.4.
-- Concepts: 201826 type 2 diabetes, 3004410 HbA1c in blood, 1503297 metformin, 8532 female.
-- Whoever has no HbA1c on record, or one no laboratory reports, is left out: a study wants every row filled.
with diabetes as (
    select distinct person_id
    from condition_occurrence
    join concept_ancestor on descendant_concept_id = condition_concept_id
    where ancestor_concept_id = 201826
), hba1c as (
    select person_id, arg_max(value_as_number, measurement_date) as value
    from measurement
    where measurement_concept_id = 3004410 and value_as_number between 3 and 20
    group by person_id
), metformin as (
    select distinct person_id
    from drug_exposure
    join concept_ancestor on descendant_concept_id = drug_concept_id
    where ancestor_concept_id = 1503297
)
select
    date_part('year', $today::date)::integer - year_of_birth as age,
    case when gender_concept_id = 8532 then 'female' else 'male' end as sex,
    round(hba1c.value, 1) as hba1c,
    case when metformin.person_id is null then 'no' else 'yes' end as metformin
from person
join diabetes using (person_id)
join hba1c using (person_id)
left join metformin using (person_id)
where gender_concept_id in (8507, 8532)
  and date_part('year', $today::date)::integer - year_of_birth between 0 and 120
order by person_id
