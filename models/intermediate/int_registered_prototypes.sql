-- The published versions, for the fit to match its segments to.
select * from {{ source('registry', 'segment_prototypes') }}
