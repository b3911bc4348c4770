with movements as (

    select * from {{ ref('int_segment_movements') }}

),

final as (

    select
        customer_id,
        segmentation,
        month_end_date,
        is_closed,
        is_warm_up,
        segment_id,
        model_version,
        previous_segment_id,
        previous_segment_id_by_this_model,
        movement,
        current_segment_id,
        policy_hash
    from movements

)

select * from final
