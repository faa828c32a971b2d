(** Groups of permutations by number: a list of permutations that holds the generated group, and its table of
    products. *)

From Coq Require Import List Lia Bool Arith.
From CosetVerify Require Import Definitions Sums.
Import ListNotations.
Open Scope nat_scope.
Open Scope permutation_scope.

(** * Products of permutations of 0, ..., d-1 *)

(** A list of d images, all below d. *)
Definition images (d : nat) (x : permutation) : Prop := length x = d /\ Forall (fun i => i < d) x.

Lemma images_product d x y : images d x -> images d y -> images d (x * y).
Proof.
  intros [Lx Fx] [Ly Fy]. split; [unfold product; now rewrite map_length|].
  apply Forall_map. revert Fx. apply Forall_impl. intros i Hi. apply Forall_nth_default; [assumption | lia].
Qed.

Lemma images_identity d : images d (seq 0 d).
Proof. split; [apply seq_length|]. apply Forall_forall. intros i Hi. apply in_seq in Hi. lia. Qed.

Lemma product_identity d x : images d x -> x * seq 0 d = x.
Proof.
  intros [_ F]. unfold product. rewrite <- (map_id x) at 2. apply map_ext_in. intros i Hi.
  rewrite Forall_forall in F. rewrite seq_nth by auto. reflexivity.
Qed.

Lemma product_associative d x y z : images d x -> images d y -> x * (y * z) = (x * y) * z.
Proof.
  intros [_ Fx] [Ly _]. unfold product. rewrite map_map. apply map_ext_in. intros i Hi.
  rewrite Forall_forall in Fx. specialize (Fx i Hi).
  apply (nth_map (fun i => nth i z 0)). lia.
Qed.

Lemma generated_images d gens x : Forall (images d) gens -> generated d gens x -> images d x.
Proof.
  intros F H. induction H as [|x g H IH Hg]; [apply images_identity|].
  apply images_product; [assumption|]. rewrite Forall_forall in F. now apply F.
Qed.

(** A generated group is closed under products. *)
Lemma generated_closed d gens x y : Forall (images d) gens ->
  generated d gens x -> generated d gens y -> generated d gens (x * y).
Proof.
  intros F Hx Hy. induction Hy as [|y g Hy IH Hg].
  - rewrite product_identity; [assumption|]. now apply (generated_images d gens).
  - rewrite (product_associative d).
    + now apply generated_product.
    + now apply (generated_images d gens).
    + now apply (generated_images d gens).
Qed.

(** * Numbers of permutations

    They are found image by image in a tree. Nothing is proved about this search: [distinct] tries it on every
    element. Numbers are passed along, not counted anew: unary numbers of their own in every entry of the table
    of products would fill the memory. *)
Inductive tree := Leaf (number : nat) | Node (children : list tree).

Fixpoint grow (d k : nat) (E : list (permutation * nat)) : tree :=
  match k with
  | O => match E with e :: _ => Leaf (snd e) | [] => Leaf 0 end
  | S k' => Node (map (fun a => grow d k' (flat_map (fun e =>
      match fst e with c :: p => if c =? a then [(p, snd e)] else [] | [] => [] end) E)) (seq 0 d))
  end.

Definition index (E : list permutation) : tree :=
  let d := length (hd [] E) in grow d d (combine E (seq 0 (length E))).

Fixpoint place (p : permutation) (t : tree) : nat :=
  match t, p with
  | Leaf k, _ => k
  | Node children, a :: p' => place p' (nth a children (Leaf 0))
  | Node _, [] => 0
  end.

(** Row x, entry y: the number of the product of elements number x and y. *)
Definition products (E : list permutation) : list (list nat) :=
  let N := index E in map (fun x => map (fun y => place (x * y) N) E) E.

Definition distinct (E : list permutation) : bool :=
  let N := index E in forallb (fun k => place (nth k E []) N =? k) (seq 0 (length E)).

Definition images_ok (d : nat) (x : permutation) : bool := (length x =? d) && forallb (fun i => i <? d) x.

(** The list holds the identity, and with every element its products with the generators. *)
Definition closed (d : nat) (gens E : list permutation) : bool :=
  let N := index E in
  let found := fun x => if list_eq_dec Nat.eq_dec (nth (place x N) E []) x then place x N <? length E else false in
  found (seq 0 d) && forallb (fun x => forallb (fun g => found (x * g)) gens) E.

(** [E] lists, each once, permutations among which is the whole generated group. *)
Definition group_ok (d : nat) (gens E : list permutation) : bool :=
  forallb (images_ok d) gens && distinct E && closed d gens E.

Lemma distinct_place E k : distinct E = true -> k < length E -> place (nth k E []) (index E) = k.
Proof.
  intros H Hk. unfold distinct in H. cbn zeta in H. rewrite forallb_forall in H. apply Nat.eqb_eq.
  apply H. apply in_seq. lia.
Qed.

Lemma products_nth E x y : x < length E -> y < length E ->
  nth y (nth x (products E) []) 0 = place (nth x E [] * nth y E []) (index E).
Proof.
  intros Hx Hy. unfold products. cbn zeta.
  rewrite (nth_map _ E [] []) by assumption. now rewrite (nth_map _ E 0 []).
Qed.

Lemma position_spec x E : In x E -> position x E < length E /\ nth (position x E) E [] = x.
Proof.
  induction E as [|a E IH]; intros H; [destruct H|]. cbn [position length nth].
  destruct (list_eq_dec Nat.eq_dec a x) as [->|N]; [split; [lia | reflexivity]|].
  destruct H as [->|H]; [now destruct N|]. destruct (IH H) as [H1 H2]. cbn. split; [lia | assumption].
Qed.

(** What the check says: the generated group is in the list, and the table of products is right on it. *)
Theorem group_spec d gens E : group_ok d gens E = true ->
  (forall x, generated d gens x -> In x E) /\
  (forall x y, generated d gens x -> generated d gens y ->
    In (x * y) E /\ nth (position y E) (nth (position x E) (products E) []) 0 = position (x * y) E).
Proof.
  unfold group_ok. rewrite !andb_true_iff. intros [[H1 H2] H3].
  assert (F : Forall (images d) gens).
  { apply Forall_forall. intros g Hg. rewrite forallb_forall in H1. specialize (H1 g Hg).
    apply andb_true_iff in H1 as [L B]. split; [now apply Nat.eqb_eq|].
    apply Forall_forall. intros i Hi. rewrite forallb_forall in B. now apply Nat.ltb_lt, B. }
  assert (M : forall x, generated d gens x -> In x E).
  { unfold closed in H3. cbn zeta in H3. apply andb_true_iff in H3 as [C1 C2].
    assert (found : forall x, (if list_eq_dec Nat.eq_dec (nth (place x (index E)) E []) x
      then place x (index E) <? length E else false) = true -> In x E).
    { intros x. destruct (list_eq_dec Nat.eq_dec (nth (place x (index E)) E []) x) as [e|]; intros K; [|discriminate].
      apply Nat.ltb_lt in K. rewrite <- e. now apply nth_In. }
    intros x Hx. induction Hx as [|x g Hx IH Hg]; [now apply found|].
    apply found. rewrite forallb_forall in C2. specialize (C2 x IH). rewrite forallb_forall in C2. now apply C2. }
  split; [assumption|]. intros x y Hx Hy.
  assert (Hxy : In (x * y) E) by (apply M; now apply generated_closed).
  split; [assumption|].
  destruct (position_spec x E (M x Hx)) as [Lx Ex]. destruct (position_spec y E (M y Hy)) as [Ly Ey].
  destruct (position_spec (x * y) E Hxy) as [Lw Ew].
  rewrite products_nth, Ex, Ey by assumption. rewrite <- Ew at 1. now apply distinct_place.
Qed.

Lemma distinct_position k E : distinct E = true -> k < length E -> position (nth k E []) E = k.
Proof.
  intros H Hk. destruct (position_spec (nth k E []) E (nth_In E [] Hk)) as [L Q].
  rewrite <- (distinct_place E k H Hk), <- Q at 2. symmetry. now apply distinct_place.
Qed.

(** * Whether the list holds no more than the generated group

    An element is reached when it is the identity or a generator times a reached one. Nothing is proved about inverses. *)
Definition inverse (d : nat) (g : permutation) : permutation :=
  let fix point (i : nat) (s : list nat) := match s with [] => 0 | a :: s' => if a =? i then 0 else S (point i s') end in
  map (fun i => point i g) (seq 0 d).

Definition same (x y : permutation) : bool := if list_eq_dec Nat.eq_dec x y then true else false.

Lemma same_spec x y : same x y = true -> x = y.
Proof. unfold same. now destruct (list_eq_dec Nat.eq_dec x y). Qed.

(** Numbers of the elements that give x when multiplied by a generator. *)
Definition sources (d : nat) (gens E : list permutation) (N : tree) (x : permutation) : list nat :=
  filter (fun j => existsb (fun g => same (nth j E [] * g) x) gens) (map (fun g => place (x * inverse d g) N) gens).

Definition spread (s : list (list nat)) (reached : list bool) : list bool :=
  zip (fun k (r : bool) => if r then true else existsb (fun j => nth j reached false) k) s reached.

Fixpoint all_reached (rounds : nat) (s : list (list nat)) (reached : list bool) : bool :=
  if forallb (fun r => r) reached then true
  else match rounds with O => false | S rounds' => all_reached rounds' s (spread s reached) end.

Definition whole (d : nat) (gens E : list permutation) : bool :=
  let N := index E in all_reached (length E) (map (sources d gens E N) E) (map (fun x => same x (seq 0 d)) E).

Theorem whole_spec d gens E k : whole d gens E = true -> k < length E -> generated d gens (nth k E []).
Proof.
  unfold whole. cbn zeta. set (s := map (sources d gens E (index E)) E).
  assert (G : forall rounds reached, length reached = length E ->
    (forall i, nth i reached false = true -> generated d gens (nth i E [])) ->
    all_reached rounds s reached = true -> k < length E -> generated d gens (nth k E [])).
  { induction rounds as [|rounds IH]; intros reached L R H Hk; cbn [all_reached] in H;
      destruct (forallb (fun r => r) reached) eqn:A; try discriminate H.
    1, 2: apply R; rewrite forallb_forall in A; apply A; apply nth_In; congruence.
    assert (Ls : length s = length reached) by (unfold s; rewrite map_length; congruence).
    apply (IH (spread s reached)); try assumption; [unfold spread; rewrite zip_length; congruence|].
    intros i Hi. destruct (Nat.lt_ge_cases i (length E)) as [K|K].
    2:{ rewrite nth_overflow in Hi by (unfold spread; rewrite zip_length; lia). discriminate. }
    unfold spread in Hi. rewrite (zip_nth _ [] false) in Hi by lia.
    destruct (nth i reached false) eqn:Q; [now apply R|].
    apply existsb_exists in Hi as [j [Hj Rj]]. unfold s in Hj. rewrite (nth_map _ E [] []) in Hj by assumption.
    apply filter_In in Hj as [_ Hj]. apply existsb_exists in Hj as [g [Hg Eg]]. apply same_spec in Eg. rewrite <- Eg.
    apply generated_product; [now apply R | assumption]. }
  intros H Hk. apply (G (length E) (map (fun x => same x (seq 0 d)) E)); try assumption; [apply map_length|].
  intros i Hi. destruct (Nat.lt_ge_cases i (length E)) as [K|K].
  2:{ rewrite nth_overflow in Hi by (now rewrite map_length). discriminate. }
  rewrite (nth_map _ E false []) in Hi by assumption. apply same_spec in Hi. rewrite Hi. apply generated_identity.
Qed.
