{{ read_data_file() }}
