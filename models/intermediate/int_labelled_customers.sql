-- The training customers with their segment in the model in force, for describing the
-- segments in rules.
with sample as (

    select * from {{ ref('int_training_sample') }}

),

assigned as (

    select * from {{ ref('int_segment_assignments') }}
    where status = 'assigned'

),

final as (

    select
        {%- for feature in customer_features() if not feature.startswith('shrunk_') %}
        sample.{{ feature }},
        {%- endfor %}
        sample.segmentation,
        sample.customer_id,
        assigned.segment_id
    from sample
    inner join assigned
        on sample.segmentation = assigned.segmentation
        and sample.customer_id = assigned.customer_id

)

select * from final
