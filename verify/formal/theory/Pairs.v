(** A pair of inputs: the right logit against others, first from the highest digits of the weights, then exactly
    where these do not decide. *)

From Coq Require Import ZArith List Lia Bool Arith Uint63.
From CosetVerify Require Import Definitions Sums Machine Rounding.
Import ListNotations.
Open Scope Z_scope.

(** * A network by its digits *)

Record digits := Digits { width : Z; high : list (list int); lower : list (list (list int)) }.

Record stored := Stored {
  stored_neurons : nat;
  stored_numbering : list permutation;
  stored_left : digits;
  stored_right : digits;
  stored_votes : digits;
  stored_bias : list Z
}.

Definition matrix_of (T : digits) : list (list Z) := matrix (width T) (high T) (lower T).

Definition network_of (D : stored) : network := {|
  neurons := stored_neurons D;
  numbering := stored_numbering D;
  left := matrix_of (stored_left D);
  right := matrix_of (stored_right D);
  votes := matrix_of (stored_votes D);
  bias := stored_bias D
|}.

(** Number of elements. *)
Definition order (D : stored) : nat := length (stored_numbering D).

(** How many bits the lower digits have together; what the highest ones count, 2^bits. *)
Definition lower_bits (T : digits) : Z := width T * Z.of_nat (length (lower T)).
Definition base (T : digits) : Z := 2 ^ lower_bits T.
(** The same for logits. *)
Definition scale (D : stored) : Z := base (stored_left D) * base (stored_votes D).

Definition upper_left (D : stored) := high (stored_left D).
Definition upper_right (D : stored) := high (stored_right D).
Definition upper_votes (D : stored) := high (stored_votes D).
Definition upper_bias (D : stored) : list Z := map (fun v => v / scale D) (stored_bias D).

Definition row (T : digits) (k : nat) : list Z := matrix_row (width T) k (high T) (lower T).

(** The logit of element number z at elements number x and y: exactly, and from the highest digits in units of
    [scale]. *)
Definition exact_logit (D : stored) (x y z : nat) : Z :=
  nth z (stored_bias D) 0 + dot (hidden (row (stored_left D) x) (row (stored_right D) y)) (row (stored_votes D) z).

Definition signed_row (T : list (list int)) (k : nat) : list Z := map signed (nth k T []).

Definition score (D : stored) (x y z : nat) : Z :=
  nth z (upper_bias D) 0 +
  dot (hidden (signed_row (upper_left D) x) (signed_row (upper_right D) y)) (signed_row (upper_votes D) z).

(** * Sizes *)

(** The largest absolute value, in machine integers. *)
Definition largest_in (row : list int) (a : int) : int := fold_left (fun a v => max63 a (abs63 v)) row a.
Definition largest (T : list (list int)) : Z := φ (fold_left (fun a row => largest_in row a) T 0)%uint63.

Lemma largest_row row : forall a, φ (a)%uint63 <= φ (largest_in row a)%uint63 /\ Forall (within (φ (largest_in row a)%uint63)) row.
Proof.
  unfold largest_in. induction row as [|v row IH]; intros a; cbn [fold_left]; [split; [lia | constructor]|].
  destruct (IH (max63 a (abs63 v))) as [H1 H2]. rewrite max63_spec, abs63_spec in H1.
  split; [lia|]. constructor; [unfold within; lia | assumption].
Qed.

Lemma within_weaken A B row : A <= B -> Forall (within A) row -> Forall (within B) row.
Proof. intros H. apply Forall_impl. unfold within. lia. Qed.

Lemma largest_spec T : 0 <= largest T /\ Forall (Forall (within (largest T))) T.
Proof.
  assert (G : forall T a, φ (a)%uint63 <= φ (fold_left (fun a row => largest_in row a) T a)%uint63 /\
    Forall (Forall (within (φ (fold_left (fun a row => largest_in row a) T a)%uint63))) T).
  { clear T. induction T as [|r T IH]; intros a; cbn [fold_left]; [split; [lia | constructor]|].
    destruct (largest_row r a) as [H1 H2]. destruct (IH (largest_in r a)) as [H3 H4].
    split; [lia|]. constructor; [|assumption]. now apply (within_weaken _ _ _ H3). }
  apply (G T 0%uint63).
Qed.

Lemma largest_nth T k : Forall (within (largest T)) (nth k T []).
Proof.
  destruct (largest_spec T) as [_ F]. destruct (Nat.lt_ge_cases k (length T)) as [H|H].
  - now apply Forall_nth_default.
  - rewrite nth_overflow by assumption. constructor.
Qed.

(** The largest absolute values of the highest digits of [left] and [right], and of [votes]. *)
Definition input_bound (D : stored) : Z := Z.max (largest (upper_left D)) (largest (upper_right D)).
Definition vote_bound (D : stored) : Z := largest (upper_votes D).

(** By how much a score must lead so that the exact logit leads: the rounding of all neurons and of the bias. *)
Definition units (D : stored) : Z :=
  Z.of_nat (stored_neurons D) * (2 * input_bound D + 4 * vote_bound D + 2) + 1.

Definition table_digits_ok (n m : nat) (T : digits) : bool := table_ok n m (width T) (high T) (lower T).

(** Every table has its shape, and no sum of machine integers can wrap around. *)
Definition sizes_ok (D : stored) : bool :=
  let n := order D in let m := stored_neurons D in
  let A := input_bound D in let V := vote_bound D in
  table_digits_ok n m (stored_left D) && table_digits_ok n m (stored_right D) && table_digits_ok n m (stored_votes D) &&
  (length (stored_bias D) =? n)%nat &&
  (lower_bits (stored_left D) =? lower_bits (stored_right D)) &&
  forallb (fun v => Z.abs v <=? 2 ^ 59) (upper_bias D) &&
  (units D <? 2 ^ 61) && (2 * A <? 2 ^ 62) && (Z.of_nat m * (2 * A * V) <=? 2 ^ 59).

(** What the check of sizes says of single rows. *)
Record sizes (D : stored) : Prop := {
  left_length x : (x < order D)%nat -> length (nth x (upper_left D) []) = stored_neurons D;
  right_length y : (y < order D)%nat -> length (nth y (upper_right D) []) = stored_neurons D;
  votes_length z : (z < order D)%nat -> length (nth z (upper_votes D) []) = stored_neurons D;
  left_near x : (x < order D)%nat -> Forall2 (near (base (stored_left D))) (nth x (upper_left D) []) (row (stored_left D) x);
  right_near y : (y < order D)%nat -> Forall2 (near (base (stored_left D))) (nth y (upper_right D) []) (row (stored_right D) y);
  votes_near z : (z < order D)%nat -> Forall2 (near (base (stored_votes D))) (nth z (upper_votes D) []) (row (stored_votes D) z);
  left_rows x : (x < order D)%nat -> nth x (left (network_of D)) [] = row (stored_left D) x;
  right_rows y : (y < order D)%nat -> nth y (right (network_of D)) [] = row (stored_right D) y;
  votes_rows z : (z < order D)%nat -> nth z (votes (network_of D)) [] = row (stored_votes D) z;
  left_within x : Forall (within (input_bound D)) (nth x (upper_left D) []);
  right_within y : Forall (within (input_bound D)) (nth y (upper_right D) []);
  votes_within z : Forall (within (vote_bound D)) (nth z (upper_votes D) []);
  bias_length : length (stored_bias D) = order D;
  bias_within z : (z < order D)%nat -> Z.abs (nth z (upper_bias D) 0) <= 2 ^ 59;
  lengths : length (upper_left D) = order D /\ length (upper_right D) = order D /\ length (upper_votes D) = order D;
  bounds_positive : 0 <= input_bound D /\ 0 <= vote_bound D /\ 0 < units D;
  units_small : units D < 2 ^ 61;
  inputs_small : 2 * input_bound D < 2 ^ 62;
  scores_small : Z.of_nat (stored_neurons D) * (2 * input_bound D * vote_bound D) <= 2 ^ 59;
  base_positive : 0 < base (stored_left D) /\ 0 < base (stored_votes D)
}.

Lemma sizes_spec D : sizes_ok D = true -> sizes D.
Proof.
  unfold sizes_ok. cbn zeta. rewrite !andb_true_iff. intros [[[[[[[[HL HR] HU] HB] HS] HV] H1] H2] H3].
  apply Nat.eqb_eq in HB. apply Z.eqb_eq in HS. apply Z.ltb_lt in H1, H2. apply Z.leb_le in H3.
  unfold table_digits_ok in *.
  assert (P : forall n m w h t, table_ok n m w h t = true -> 0 <= w /\ length h = n).
  { intros n m w h t H. unfold table_ok in H. rewrite !andb_true_iff in H. destruct H as [[K [W _]] _].
    apply Z.leb_le in W. apply shaped_spec in K as [K _]. now split. }
  pose proof (P _ _ _ _ _ HL) as [WL NL]. pose proof (P _ _ _ _ _ HR) as [WR NR]. pose proof (P _ _ _ _ _ HU) as [WU NU].
  destruct (largest_spec (upper_left D)) as [BL _]. destruct (largest_spec (upper_right D)) as [BR _].
  destruct (largest_spec (upper_votes D)) as [BU _].
  assert (BA : 0 <= input_bound D) by (unfold input_bound; lia).
  split; try assumption; intros.
  - now apply (matrix_row_near _ _ _ _ _ x HL).
  - now apply (matrix_row_near _ _ _ _ _ y HR).
  - now apply (matrix_row_near _ _ _ _ _ z HU).
  - now apply (matrix_row_near _ _ _ _ _ x HL).
  - replace (base (stored_left D)) with (base (stored_right D)) by (unfold base; now rewrite HS).
    now apply (matrix_row_near _ _ _ _ _ y HR).
  - now apply (matrix_row_near _ _ _ _ _ z HU).
  - now apply (matrix_nth _ _ _ _ _ x HL).
  - now apply (matrix_nth _ _ _ _ _ y HR).
  - now apply (matrix_nth _ _ _ _ _ z HU).
  - apply (within_weaken (largest (upper_left D))); [unfold input_bound; lia | apply largest_nth].
  - apply (within_weaken (largest (upper_right D))); [unfold input_bound; lia | apply largest_nth].
  - apply largest_nth.
  - rewrite forallb_forall in HV. apply Z.leb_le. apply HV. apply nth_In. unfold upper_bias. rewrite map_length. lia.
  - now repeat split.
  - unfold units, vote_bound. repeat split; try assumption. 
    pose proof (Z.mul_nonneg_nonneg (Z.of_nat (stored_neurons D)) (2 * input_bound D + 4 * largest (upper_votes D) + 2)).
    lia.
  - unfold base, lower_bits. split; apply Z.pow_pos_nonneg; try lia; apply Z.mul_nonneg_nonneg; lia.
Qed.

(** The definition of logits, by numbers. *)
Lemma logit_by_number D x y z : sizes D ->
  (position x (stored_numbering D) < order D)%nat ->
  (position y (stored_numbering D) < order D)%nat ->
  (position z (stored_numbering D) < order D)%nat ->
  logit (network_of D) x y z = exact_logit D (position x (stored_numbering D)) (position y (stored_numbering D))
    (position z (stored_numbering D)).
Proof.
  intros S Hx Hy Hz. unfold logit, exact_logit. cbn [numbering neurons network_of bias]. f_equal.
  set (i := position x (stored_numbering D)) in *. set (j := position y (stored_numbering D)) in *.
  set (k := position z (stored_numbering D)) in *. unfold entry.
  rewrite (left_rows D S i Hx), (right_rows D S j Hy), (votes_rows D S k Hz).
  pose proof (Forall2_same_length _ _ _ (left_near D S i Hx)) as E1. rewrite (left_length D S i Hx) in E1.
  pose proof (Forall2_same_length _ _ _ (right_near D S j Hy)) as E2. rewrite (right_length D S j Hy) in E2.
  pose proof (Forall2_same_length _ _ _ (votes_near D S k Hz)) as E3. rewrite (votes_length D S k Hz) in E3.
  rewrite E1 at 1. apply sum_is_dot; congruence.
Qed.

(** A lead in the scores that is large enough is a lead in the logits. *)
Lemma score_sound D x y z w : sizes D ->
  (x < order D)%nat -> (y < order D)%nat -> (z < order D)%nat -> (w < order D)%nat ->
  units D <= score D x y w - score D x y z -> exact_logit D x y z < exact_logit D x y w.
Proof.
  intros S Hx Hy Hz Hw Hlead. unfold score, exact_logit, upper_bias in *.
  pose proof (base_positive D S) as [K1 K2].
  pose proof (rounding (input_bound D) (vote_bound D) (base (stored_left D)) (base (stored_votes D))
    (nth x (upper_left D) []) (nth y (upper_right D) []) (nth w (upper_votes D) []) (nth z (upper_votes D) [])
    _ _ _ _ K1 K2 (left_near D S x Hx) (right_near D S y Hy) (votes_near D S w Hw) (votes_near D S z Hz)) as Q.
  rewrite (left_length D S x Hx), (right_length D S y Hy), (votes_length D S w Hw), (votes_length D S z Hz) in Q.
  specialize (Q eq_refl eq_refl eq_refl (left_within D S x) (right_within D S y) (votes_within D S w) (votes_within D S z)).
  cbn zeta in Q. fold (signed_row (upper_left D) x) (signed_row (upper_right D) y) in Q.
  fold (signed_row (upper_votes D) w) (signed_row (upper_votes D) z) (scale D) in Q.
  rewrite !(nth_map _ _ 0 0) in Hlead by (rewrite (bias_length D S); assumption).
  assert (K : 0 < scale D) by (unfold scale; nia).
  set (bw := nth w (stored_bias D) 0) in *. set (bz := nth z (stored_bias D) 0) in *.
  pose proof (Z.mod_pos_bound bw (scale D) K) as Mw. pose proof (Z.mod_pos_bound bz (scale D) K) as Mz.
  pose proof (Z.div_mod bw (scale D) ltac:(lia)) as Ew. pose proof (Z.div_mod bz (scale D) ltac:(lia)) as Ez.
  unfold units in Hlead. set (k := scale D) in *. clearbody k.
  set (s := Z.of_nat (stored_neurons D) * (2 * input_bound D + 4 * vote_bound D + 2)) in *.
  set (h := hidden (signed_row (upper_left D) x) (signed_row (upper_right D) y)) in *.
  set (dw := dot h (signed_row (upper_votes D) w)) in *. set (dz := dot h (signed_row (upper_votes D) z)) in *.
  set (qw := bw / k) in *. set (qz := bz / k) in *.
  assert (0 <= k * ((qw + dw) - (qz + dz) - (s + 1))) by (apply Z.mul_nonneg_nonneg; lia).
  rewrite !Z.mul_sub_distr_l, !Z.mul_add_distr_l in *. lia.
Qed.

(** * The check of a pair *)

(** [rivals]: numbers of elements that the element number w must still be compared with at (x, y). Here l and r
    are the rows of x and y, [b] the upper bias as machine integers and [slack] one less than [units D]. *)
Definition rivals_ok (D : stored) (b : list int) (slack : int) (x y w : nat) (l r : list int) (rivals : list nat) : bool :=
  match filter (fun z => negb (z =? w)%nat) rivals with
  | [] => true
  | others =>
      let h := hidden63 l r in
      let U := upper_votes D in
      let first := dot63 (nth w b 0%uint63) h (nth w U []) in
      forallb (fun z => if beats slack first (dot63 (nth z b 0%uint63) h (nth z U [])) then true
                        else exact_logit D x y z <? exact_logit D x y w) others
  end.

Definition machine_bias (D : stored) : list int := map of_Z (upper_bias D).
Definition machine_slack (D : stored) : int := of_Z (units D - 1).

(** A dot product of highest digits in machine integers is the score modulo 2^63. *)
Lemma machine_score D x y z : sizes D -> (z < order D)%nat ->
  φ (dot63 (nth z (machine_bias D) 0%uint63) (hidden63 (nth x (upper_left D) []) (nth y (upper_right D) []))
      (nth z (upper_votes D) []))%uint63 = score D x y z mod 2 ^ 63.
Proof.
  intros S Hz. rewrite dot63_spec.
  rewrite (hidden63_spec (input_bound D)); [|apply (inputs_small D S)|apply (left_within D S)|apply (right_within D S)].
  f_equal. unfold score, machine_bias. f_equal.
  rewrite (nth_map _ _ _ 0) by (unfold upper_bias; rewrite map_length, (bias_length D S); assumption).
  pose proof (bias_within D S z Hz). apply of_Z_signed. lia.
Qed.

Lemma score_bound D x y z : sizes D -> (x < order D)%nat -> (y < order D)%nat -> (z < order D)%nat ->
  Z.abs (score D x y z) <= 2 ^ 60.
Proof.
  intros S Hx Hy Hz. unfold score. pose proof (bias_within D S z Hz). pose proof (bounds_positive D S) as [B1 [B2 _]].
  assert (Hh : Forall (fun v => 0 <= v <= 2 * input_bound D)
    (hidden (signed_row (upper_left D) x) (signed_row (upper_right D) y))).
  { apply hidden_bound; unfold signed_row; apply Forall_map; [apply (left_within D S) | apply (right_within D S)]. }
  assert (Hu : Forall (fun v => Z.abs v <= vote_bound D) (signed_row (upper_votes D) z)).
  { apply Forall_map. apply (votes_within D S). }
  pose proof (dot_bound (2 * input_bound D) (vote_bound D) _ _ ltac:(lia) B2 Hh Hu) as Q.
  rewrite hidden_length in Q by (unfold signed_row; rewrite !map_length, (left_length D S), (right_length D S); auto).
  replace (length (signed_row (upper_left D) x)) with (stored_neurons D) in Q
    by (unfold signed_row; rewrite map_length; symmetry; now apply (left_length D S)).
  pose proof (scores_small D S). lia.
Qed.

(** A lead of words is a lead of logits. *)
Lemma beats_sound D x y w z (word := fun k => dot63 (nth k (machine_bias D) 0%uint63)
    (hidden63 (nth x (upper_left D) []) (nth y (upper_right D) [])) (nth k (upper_votes D) [])) :
  sizes D -> (x < order D)%nat -> (y < order D)%nat -> (w < order D)%nat -> (z < order D)%nat ->
  beats (machine_slack D) (word w) (word z) = true -> exact_logit D x y z < exact_logit D x y w.
Proof.
  intros S Hx Hy Hw Hz E. apply score_sound; try assumption.
  pose proof (score_bound D x y w S Hx Hy Hw). pose proof (score_bound D x y z S Hx Hy Hz).
  apply (beats_spec _ _ _ (score D x y w) (score D x y z)) in E; try (now apply machine_score); [|lia].
  unfold machine_slack in E. pose proof (units_small D S). pose proof (bounds_positive D S).
  rewrite of_Z_spec, wB_value, Z.mod_small in E; lia.
Qed.

Theorem rivals_sound D x y w rivals : sizes D -> (x < order D)%nat -> (y < order D)%nat -> (w < order D)%nat ->
  rivals_ok D (machine_bias D) (machine_slack D) x y w (nth x (upper_left D) []) (nth y (upper_right D) []) rivals = true ->
  forall z, In z rivals -> (z < order D)%nat -> z <> w -> exact_logit D x y z < exact_logit D x y w.
Proof.
  intros S Hx Hy Hw H z Hin Hz N. unfold rivals_ok in H.
  assert (I : In z (filter (fun z => negb (z =? w)%nat) rivals)).
  { apply filter_In. split; [assumption|]. apply negb_true_iff. now apply Nat.eqb_neq. }
  destruct (filter _ rivals) as [|o others]; [destruct I|].
  rewrite forallb_forall in H. specialize (H z I). cbn beta zeta in H.
  destruct (beats _ _ _) eqn:E; [now apply beats_sound | now apply Z.ltb_lt].
Qed.

(** All numbers as rivals: number z onwards, those of the entries of [b] and rows of [U]. No row is looked up. *)
Fixpoint all_behind (D : stored) (slack : int) (x y w : nat) (h : list int) (first : int) (z : nat) (b : list int)
    (U : list (list int)) : bool :=
  match b, U with
  | v :: b', u :: U' =>
      if (if beats slack first (dot63 v h u) then true
          else if (z =? w)%nat then true else exact_logit D x y z <? exact_logit D x y w)
      then all_behind D slack x y w h first (S z) b' U' else false
  | _, _ => true
  end.

Definition all_rivals_ok (D : stored) (b : list int) (slack : int) (x y w : nat) (l r : list int) : bool :=
  let h := hidden63 l r in
  all_behind D slack x y w h (dot63 (nth w b 0%uint63) h (nth w (upper_votes D) [])) 0 b (upper_votes D).

Lemma all_behind_spec D slack x y w h first b : forall U z0 z, all_behind D slack x y w h first z0 b U = true ->
  (z < length b)%nat -> (z < length U)%nat -> (z0 + z)%nat <> w ->
  beats slack first (dot63 (nth z b 0%uint63) h (nth z U [])) = true \/
  exact_logit D x y (z0 + z) < exact_logit D x y w.
Proof.
  induction b as [|v b IH]; intros [|u U] z0 z H Hb HU N; cbn [length] in *; try lia. cbn [all_behind] in H.
  destruct (if beats slack first (dot63 v h u) then true else _) eqn:E; [|discriminate].
  destruct z as [|z].
  - rewrite Nat.add_0_r in *. cbn [nth]. destruct (beats _ _ _); [now left|]. right.
    destruct (Nat.eqb_spec z0 w); [now destruct N | now apply Z.ltb_lt].
  - cbn [nth]. replace (z0 + S z)%nat with (S z0 + z)%nat in * by lia. apply IH; [assumption|lia|lia|assumption].
Qed.

Theorem all_rivals_sound D x y w z : sizes D -> (x < order D)%nat -> (y < order D)%nat -> (w < order D)%nat ->
  all_rivals_ok D (machine_bias D) (machine_slack D) x y w (nth x (upper_left D) []) (nth y (upper_right D) []) = true ->
  (z < order D)%nat -> z <> w -> exact_logit D x y z < exact_logit D x y w.
Proof.
  intros S Hx Hy Hw H Hz N. unfold all_rivals_ok in H. cbn zeta in H. destruct (lengths D S) as [_ [_ LU]].
  apply all_behind_spec with (z := z) in H; [| | |exact N].
  - destruct H as [H|H]; [now apply beats_sound | exact H].
  - unfold machine_bias, upper_bias. rewrite !map_length, (bias_length D S). assumption.
  - rewrite LU. assumption.
Qed.

(** * A pair at which the network is wrong *)

(** The first number of the list for which f holds, if any: nothing behind it is computed. *)
Fixpoint some (f : nat -> bool) (s : list nat) : bool :=
  match s with [] => false | a :: s' => if f a then true else some f s' end.

Lemma some_spec f s : some f s = true -> exists a, In a s /\ f a = true.
Proof.
  induction s as [|a s IH]; cbn [some]; [discriminate|]. destruct (f a) eqn:E; intros H; [exists a; cbn; auto|].
  destruct (IH H) as [c [Hc Fc]]. exists c. cbn. auto.
Qed.

(** Among the numbers there is one other than w whose logit is not below that of w. The one of the greatest score is tried
    first, and no logit is computed exactly where its lead is large. *)
Definition wrong_ok (D : stored) (b : list int) (slack : int) (x y w : nat) (l r : list int) (numbers : list nat) : bool :=
  let h := hidden63 l r in
  let word := fun z => dot63 (nth z b 0%uint63) h (nth z (upper_votes D) []) in
  let first := fst (fold_left (fun (best : nat * int) z =>
    if (z =? w)%nat then best else let v := word z in if less63 (snd best) v then (z, v) else best) numbers (w, half)) in
  let rival := fun z => if (z =? w)%nat then false else (z <? order D)%nat in
  if (if rival first then beats slack (word first) (word w) else false) then true
  else let answer := exact_logit D x y w in
    some (fun z => if rival z then answer <=? exact_logit D x y z else false) (first :: numbers).

Theorem wrong_sound D x y w numbers : sizes D -> (x < order D)%nat -> (y < order D)%nat -> (w < order D)%nat ->
  wrong_ok D (machine_bias D) (machine_slack D) x y w (nth x (upper_left D) []) (nth y (upper_right D) []) numbers = true ->
  exists z, (z < order D)%nat /\ z <> w /\ exact_logit D x y w <= exact_logit D x y z.
Proof.
  intros S Hx Hy Hw H. unfold wrong_ok in H. cbn zeta in H. set (first := fst _) in H.
  assert (R : forall z (c : bool), (if if (z =? w)%nat then false else (z <? order D)%nat then c else false) = true ->
    (z < order D)%nat /\ z <> w /\ c = true).
  { intros z c K. destruct (Nat.eqb_spec z w) as [|N]; [discriminate|].
    destruct (Nat.ltb_spec z (order D)) as [L|]; [auto | discriminate]. }
  match type of H with (if ?c then _ else _) = true => destruct c eqn:E end.
  - apply R in E as [L [N E]]. exists first. repeat split; try assumption. apply Z.lt_le_incl. now apply beats_sound.
  - apply some_spec in H as [z [_ H]]. apply R in H as [L [N H]]. exists z. apply Z.leb_le in H. auto.
Qed.

(** * Either

    [wrong]: whether the pair is one of the exceptions. [open]: what must be compared where it is none. *)
Definition pair_ok (D : stored) (b : list int) (slack : int) (x y w : nat) (l r : list int) (wrong : bool)
    (open numbers : list nat) : bool :=
  if wrong then wrong_ok D b slack x y w l r numbers else rivals_ok D b slack x y w l r open.

Theorem pair_sound D x y w wrong open numbers : sizes D -> (x < order D)%nat -> (y < order D)%nat -> (w < order D)%nat ->
  pair_ok D (machine_bias D) (machine_slack D) x y w (nth x (upper_left D) []) (nth y (upper_right D) []) wrong open numbers = true ->
  if wrong then exists z, (z < order D)%nat /\ z <> w /\ exact_logit D x y w <= exact_logit D x y z
  else forall z, In z open -> (z < order D)%nat -> z <> w -> exact_logit D x y z < exact_logit D x y w.
Proof. intros S Hx Hy Hw H. destruct wrong; [now apply (wrong_sound D x y w numbers) | now apply rivals_sound]. Qed.
