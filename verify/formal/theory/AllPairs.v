(** The check of all pairs through tables, and the theorem that its success proves. *)

From Coq Require Import ZArith List Lia Bool Arith Uint63.
From CosetVerify Require Import Definitions Sums Machine Rounding Groups Exceptions Pairs Check Packing Loss Tables Factored.
Import ListNotations.
Open Scope Z_scope.

(** What does not depend on y: the number of x, its row as it is and in the order of [members], its levels, its rows in
    the tables, the numbers of its products, and at which y the network is wrong. *)
Record element := Element {
  number : nat;
  plain : list int;
  ordered : list int;
  level : list int;
  chosen : list nat;
  answers : list nat;
  exceptions : list bool
}.

Definition element_of (D : stored) (C : plan) (P : list (list nat)) (M : list (list bool)) (x : nat) : element :=
  Element x (nth x (upper_left D) []) (arranged C (nth x (upper_left D) [])) (forest_levels (forest C) x)
    (forest_cells (forest C) x) (nth x P []) (nth x M []).

(** Every pair of elements, for a table of products and one of the pairs at which the network is wrong. *)
Definition check_side (D : stored) (C : plan) (P : list (list nat)) (M : list (list bool)) : bool :=
  if sizes_ok D && plan_ok D C then
    let numbers := seq 0 (order D) in
    let s := of_Z (input_cut C) in
    let q := of_Z (input_cut C + vote_cut C) in
    let limit := of_Z (firing_limit D C) in
    let u := of_Z (units D) in
    let start := bias_words D C in
    let top := most D C in
    let bottom := least D C in
    let trees := map (prepare (vote_words D C)) (forest C) in
    let U := map (arranged C) (upper_votes D) in
    let elements := map (element_of D C P M) numbers in
    let b := machine_bias D in
    let slack := machine_slack D in
    forallb (fun y =>
      let r := nth y (upper_right D) [] in
      let rM := arranged C r in
      let T := map (fun t => table s t r) trees in
      forallb (fun e =>
        let w := nth y (answers e) 0%nat in
        pair_ok D b slack (number e) y w (plain e) r (nth y (exceptions e) false)
          (open_numbers numbers limit u s q start top bottom (ordered e) (level e) rM (nth w U []) (chosen e) T w) numbers) elements)
      numbers
  else false.

Lemma check_side_sound D C P M : check_side D C P M = true -> sizes D /\ right_by_number D P M.
Proof.
  unfold check_side. cbn zeta. destruct (sizes_ok D && plan_ok D C) eqn:E; [|discriminate].
  apply andb_true_iff in E as [HS HC]. apply sizes_spec in HS. intros H. split; [assumption|].
  intros x y Hx Hy w Hw.
  rewrite forallb_forall in H. specialize (H y ltac:(apply in_seq; lia)). cbn beta in H.
  rewrite forallb_forall in H. specialize (H (element_of D C P M x) ltac:(apply in_map, in_seq; lia)). cbn beta in H.
  cbn [element_of number plain ordered level chosen answers exceptions] in H. fold w in H.
  apply pair_sound in H; try assumption. unfold marked. destruct (nth y (nth x M []) false); [assumption|]. intros z Hz N.
  destruct (lengths D HS) as [_ [_ LU]].
  rewrite (nth_map (arranged C) (upper_votes D) [] []) in H by lia. rewrite map_map in H.
  destruct (open_sound D C x y w z HS HC Hx Hy Hw Hz) as [Hin|]; [|assumption].
  exact (H z Hin Hz N).
Qed.

(** The network with its inputs exchanged, for plans that have levels for y. *)
Definition exchange (D : stored) : stored :=
  Stored (stored_neurons D) (stored_numbering D) (stored_right D) (stored_left D) (stored_votes D) (stored_bias D).

Lemma exact_logit_exchanged D x y z : exact_logit (exchange D) y x z = exact_logit D x y z.
Proof. unfold exact_logit. cbn. now rewrite hidden_commutes. Qed.

(** Row y, entry x: the number of the product of elements number x and y. *)
Definition exchanged_products (E : list permutation) : list (list nat) :=
  let N := index E in map (fun y => map (fun x => place (product x y) N) E) E.

Lemma exchanged_products_nth E x y : (x < length E)%nat -> (y < length E)%nat ->
  nth x (nth y (exchanged_products E) []) 0%nat = nth y (nth x (products E) []) 0%nat.
Proof.
  intros Hx Hy. rewrite products_nth by assumption. unfold exchanged_products. cbn zeta.
  rewrite (nth_map _ E [] []) by assumption. now rewrite (nth_map _ E 0%nat []).
Qed.

(** Every pair. [M]: where the network is wrong, [M']: the same with x and y exchanged. [mirrored]: whether the plan's
    levels stand for y. *)
Definition check_forest (D : stored) (mirrored : bool) (C : plan) (M M' : list (list bool)) : bool :=
  let E := stored_numbering D in
  if mirrored then if sizes_ok D then check_side (exchange D) C (exchanged_products E) M' else false
  else check_side D C (products E) M.

Lemma check_forest_sound D mirrored C M M' :
  (forall x y, (x < order D)%nat -> (y < order D)%nat -> marked M' y x = marked M x y) ->
  check_forest D mirrored C M M' = true -> sizes D /\ right_by_number D (products (stored_numbering D)) M.
Proof.
  intros HM. unfold check_forest. cbn zeta. destruct mirrored; [|apply check_side_sound].
  destruct (sizes_ok D) eqn:HS; [|discriminate]. apply sizes_spec in HS. intros H. split; [assumption|].
  apply check_side_sound in H as [_ H]. intros x y Hx Hy w Hw.
  assert (E : nth x (nth y (exchanged_products (stored_numbering D)) []) 0%nat = w) by now apply exchanged_products_nth.
  specialize (H y x Hy Hx). cbn zeta in H. rewrite E, (HM x y Hx Hy) in H. specialize (H Hw). destruct (marked M x y).
  - destruct H as [z H]. exists z. rewrite !exact_logit_exchanged in H. exact H.
  - intros z Hz N. rewrite <- (exact_logit_exchanged D x y z), <- (exact_logit_exchanged D x y w). now apply H.
Qed.

Definition check_tables (d : nat) (gens : list permutation) (D : stored) (mirrored : bool) (C : plan) : bool :=
  if group_ok d gens (stored_numbering D) then check_forest D mirrored C [] [] else false.

Theorem check_tables_sound d gens D mirrored C : check_tables d gens D mirrored C = true ->
  right_on (generated d gens) (network_of D).
Proof.
  unfold check_tables. destruct (group_ok d gens (stored_numbering D)) eqn:HG; [|discriminate].
  intros H. apply check_forest_sound in H as [S H]; [now apply by_number_sound|]. intros x y _ _. now rewrite !marked_nothing.
Qed.

Definition swap (p : permutation * permutation) : permutation * permutation := (snd p, fst p).

Definition check_tables_except (d : nat) (gens : list permutation) (D : stored) (mirrored : bool) (C : plan)
    (mistakes : list (permutation * permutation)) : bool :=
  let E := stored_numbering D in
  if exceptions_ok d gens E mistakes then check_forest D mirrored C (marks E mistakes) (marks E (map swap mistakes)) else false.

Lemma swapped_listed E pairs : all_listed E pairs = true -> all_listed E (map swap pairs) = true.
Proof.
  unfold all_listed. cbn zeta. rewrite !forallb_forall. intros H p Hp. apply in_map_iff in Hp as [q [<- Hq]].
  specialize (H q Hq). destruct q as [x y]. cbn [swap fst snd] in *.
  destruct (if place x (index E) <? length E then _ else _)%nat; [|discriminate]. now rewrite H.
Qed.

Theorem check_tables_except_sound d gens D mirrored C mistakes : check_tables_except d gens D mirrored C mistakes = true ->
  right_except (generated d gens) (network_of D) mistakes.
Proof.
  unfold check_tables_except. cbn zeta. destruct (exceptions_ok _ _ _ _) eqn:HE; [|discriminate].
  intros H. apply check_forest_sound in H as [S H]; [now apply by_number_sound_except|]. intros x y Hx Hy.
  unfold exceptions_ok in HE. destruct (group_ok d gens (stored_numbering D)) eqn:HG; [|discriminate].
  destruct (whole _ _ _); [|discriminate].
  assert (HD : distinct (stored_numbering D) = true) by (unfold group_ok in HG; rewrite !andb_true_iff in HG; tauto).
  pose proof (marks_spec _ mistakes x y HD HE Hx Hy) as A.
  pose proof (marks_spec _ (map swap mistakes) y x HD (swapped_listed _ _ HE) Hy Hx) as B.
  rewrite (in_map_iff swap) in B. apply eq_true_iff_eq. rewrite A, B. split.
  - intros [[a b] [E I]]. unfold swap in E. cbn [fst snd] in E. injection E as -> ->. assumption.
  - intros I. eexists. split; [|exact I]. reflexivity.
Qed.
