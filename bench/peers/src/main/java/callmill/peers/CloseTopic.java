// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * BROKERS TOPIC LAST_TIME: a record a step and partition behind the end, until the last window of the
 * real records is closed everywhere. In steps, because a jump of event time may throw away in a store
 * what was not emitted yet. Prints how many records it wrote, and as of when they have their last row.
 */
public final class CloseTopic {
    private CloseTopic() {}

    public static void main(String[] words) {
        long last = Long.parseLong(words[2]);
        long step = Job.STEP.toMillis();
        // A whole number of steps, so the last record lies at the end.
        long end = last + Job.WINDOW.toMillis() + Job.LATENESS.toMillis() + 2 * step;
        Map<String, Object> settings = Map.of("bootstrap.servers", words[0], "acks", "all");
        int count = 0;
        try (KafkaProducer<String, byte[]> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
            int partitions = producer.partitionsFor(words[1]).size();
            for (long time = last + step; time <= end; time += step) {
                for (int partition = 0; partition < partitions; partition++, count++) {
                    String seat = "closing-" + partition;
                    String json = "{\"type\":\"cdr\",\"id\":\"" + seat + "-" + time + "\",\"ts\":" + time
                            + ",\"seat\":\"" + seat + "\",\"outcome\":\"no_answer\"}";
                    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
                    producer.send(new ProducerRecord<>(words[1], partition, seat, bytes));
                }
            }
        }
        System.out.println(count + " " + (end - Job.LATENESS.toMillis()) / step * step);
    }
}
