with assigned as (

    select * from {{ ref('int_customer_segments') }}

),

final as (

    select
        customer_id,
        segmentation,
        segment_id,
        status,
        model_version,
        distance,
        confidence
    from assigned

)

select * from final
