-- What the last run measured, for not measuring the same again.
select * from {{ source('registry', 'known_candidates') }}
